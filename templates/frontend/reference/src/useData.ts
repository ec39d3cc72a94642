import { useEffect, useState } from 'react';

/** The result of an asynchronous function that is called once, or the message of its error. */
export function useData<T>(ask: () => Promise<T>): { data?: T; error?: string } {
  const [state, setState] = useState<{ data?: T; error?: string }>({});
  useEffect(() => {
    let here = true;
    ask().then(
      (data) => here && setState({ data }),
      (error: unknown) => here && setState({ error: String(error) }),
    );
    return () => {
      here = false;
    };
  }, []); // asked once
  return state;
}

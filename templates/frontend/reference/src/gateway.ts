/** Requests to services, through the gateway. */

import type { Service } from './config';

export interface Reply {
  answers: boolean;
  text: string;
  refused?: boolean; // the login, or that there is none
}

const SIDE_BY_SIDE = 3; // the gateway allows few connections of one client
const TIMEOUT_MS = 10_000;
const TOKEN = 'nexus-token';

export const token = (): string | null => sessionStorage.getItem(TOKEN);
export const forget = (): void => sessionStorage.removeItem(TOKEN);

/** Whether a service answers: OPTIONS changes nothing, and every route takes it. */
async function ask(path: string): Promise<Reply> {
  const known = token();
  const began = performance.now();
  try {
    const answer = await fetch(path, {
      method: 'OPTIONS',
      headers: known ? { Authorization: `Bearer ${known}` } : {},
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const milliseconds = Math.round(performance.now() - began);
    await answer.arrayBuffer(); // an answer that nobody reads ends as an aborted request
    return answer.status < 500
      ? { answers: true, text: `${milliseconds} ms`, refused: answer.status === 401 }
      : { answers: false, text: `status ${answer.status}` };
  } catch (error) {
    return { answers: false, text: error instanceof DOMException ? 'no answer in time' : 'no connection' };
  }
}

/** Asks these services, a few side by side, and tells each reply as it arrives. */
export async function askAll(services: Service[], tell: (name: string, reply: Reply) => void): Promise<void> {
  const waiting = [...services];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) tell(next.name, await ask(next.path!));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
}

/** Logs in, and keeps the token for this tab; an Error with the reason if that is refused. */
export async function login(path: string, email: string, password: string): Promise<void> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  }).catch(() => {
    throw new Error('The login cannot be reached. Please try again.');
  });
  const found = await answer.json().catch(() => ({}));
  const given: unknown = found?.data?.token ?? found?.data?.accessToken ?? found?.token ?? found?.accessToken;
  if (!answer.ok || typeof given !== 'string') {
    throw new Error(found?.error?.message ?? (answer.ok ? 'The answer has no token.' : `Status ${answer.status}.`));
  }
  sessionStorage.setItem(TOKEN, given);
}

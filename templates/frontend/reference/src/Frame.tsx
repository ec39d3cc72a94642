import type { ReactNode } from 'react';

interface Props {
  title: string;
  purpose: string;
  home?: boolean; // whether a link leads back to the portal
  failed?: string;
  children?: ReactNode;
}

/** The parts that all pages share. */
export function Frame({ title, purpose, home, failed, children }: Props) {
  return (
    <>
      <header>
        {home ? <a href="/">Nexus COS</a> : <span>Nexus COS</span>}
      </header>
      <main>
        <h1>{title}</h1>
        {purpose && <p className="purpose">{purpose}</p>}
        {failed && (
          <p role="alert" className="notice bad">
            {failed}
          </p>
        )}
        {children}
      </main>
    </>
  );
}

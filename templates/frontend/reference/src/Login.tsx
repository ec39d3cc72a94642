import { useState, type FormEvent } from 'react';
import { forget, login } from './gateway';

interface Props {
  path: string;
  loggedIn: boolean;
  ended: boolean; // whether the gateway refused the login of before
  changed: (loggedIn: boolean) => void;
}

/** The login of an environment whose gateway asks for one. */
export default function Login({ path, loggedIn, ended, changed }: Props) {
  const [failed, setFailed] = useState('');
  const [busy, setBusy] = useState(false);
  if (loggedIn) {
    const leave = () => {
      forget();
      changed(false);
    };
    return (
      <div className="notice good bar">
        <span>You are logged in.</span>
        <button type="button" onClick={leave}>
          Log out
        </button>
      </div>
    );
  }
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setFailed('');
    setBusy(true);
    try {
      await login(path, String(given.get('email')), String(given.get('password')));
      changed(true);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void send(event)} aria-labelledby="login">
      <h2 id="login">Login</h2>
      {ended && !failed && (
        <p role="status" className="notice warn">
          Your login has ended. Please log in again.
        </p>
      )}
      <label>
        E-mail
        <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit" disabled={busy}>
        Log in
      </button>
      {failed && (
        <p role="alert" className="notice bad">
          {failed}
        </p>
      )}
    </form>
  );
}

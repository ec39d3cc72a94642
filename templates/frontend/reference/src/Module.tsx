import { Suspense, lazy, useCallback, useEffect, useMemo, useState } from 'react';
import { askable, read, type ModuleConfig } from './config';
import { askAll, forget, token, type Reply } from './gateway';
import { Services } from './Services';
import { Frame } from './Frame';
import { useData } from './useData';

const Login = lazy(() => import('./Login'));
const About = lazy(() => import('./About'));
const ABOUT = `${import.meta.env.BASE_URL}about`;

export default function Module() {
  const { data: config, error } = useData(() => read<ModuleConfig>('config.json'));
  if (error) return <Frame title={document.title} purpose="" failed={`The page cannot be set up: ${error}`} />;
  return config ? <Page config={config} /> : <p className="wait">Loading …</p>;
}

function Page({ config }: { config: ModuleConfig }) {
  const [replies, setReplies] = useState<Record<string, Reply>>({});
  const [asking, setAsking] = useState(false);
  const [loggedIn, setLoggedIn] = useState(() => token() !== null);
  const [ended, setEnded] = useState(false);
  const changed = (now: boolean) => {
    setEnded(false);
    setLoggedIn(now);
  };
  const asked = useMemo(() => askable(config, loggedIn), [config, loggedIn]);
  const check = useCallback(async () => {
    let refused = false;
    setAsking(true);
    setReplies({});
    await askAll(asked, (name, reply) => {
      refused ||= reply.refused === true;
      setReplies((known) => ({ ...known, [name]: reply }));
    });
    setAsking(false);
    if (refused && loggedIn) {
      forget();
      setEnded(true);
      setLoggedIn(false);
    }
  }, [asked, loggedIn]);
  useEffect(() => void check(), [check]);
  const about = location.pathname === ABOUT;
  return (
    <Frame title={config.title} purpose={config.purpose} home>
      {config.login && (
        <Suspense>
          <Login path={config.login} loggedIn={loggedIn} ended={ended} changed={changed} />
        </Suspense>
      )}
      {about ? (
        <Suspense fallback={<p className="wait">Loading …</p>}>
          <About config={config} />
        </Suspense>
      ) : (
        <>
          <Services
            services={config.services}
            asked={asked}
            replies={replies}
            asking={asking}
            again={() => void check()}
          />
          <p className="soft">
            <a href={ABOUT}>About this page</a>
          </p>
        </>
      )}
    </Frame>
  );
}

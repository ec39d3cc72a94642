import { read, type Link, type PortalConfig, type PortalModule } from './config';
import { Frame } from './Frame';
import { useData } from './useData';

const PURPOSE = 'All modules of the platform, and whether they are open.';

export default function Portal() {
  const { data: config, error } = useData(() => read<PortalConfig>('config.json'));
  const { data: links } = useData(operatorLinks);
  if (error) return <Frame title="Modules" purpose={PURPOSE} failed={`The page cannot be set up: ${error}`} />;
  if (!config) return <p className="wait">Loading …</p>;
  const closed = config.modules.filter((module) => module.state === 'closed').length;
  return (
    <Frame title="Modules" purpose={PURPOSE}>
      <p className="soft" role="status">
        {closed ? `${closed} of ${config.modules.length} ${closed === 1 ? 'is' : 'are'} closed` : 'None is closed'} in {config.environment}.
      </p>
      <ul className="cards">
        {config.modules.map((module) => (
          <li key={module.slug} className={module.state === 'open' ? 'open' : undefined}>
            <Card module={module} />
          </li>
        ))}
      </ul>
      {links && links.length > 0 && <Operators links={links} />}
    </Frame>
  );
}

function Card({ module }: { module: PortalModule }) {
  return (
    <>
      <h2>{module.state === 'open' ? <a href={`/${module.slug}/`}>{module.title}</a> : module.title}</h2>
      <p>{module.purpose}</p>
      {module.message && <p className="soft">{module.message}</p>}
      <p className="state">
        <span className={{ open: 'chip good', closed: 'chip warn', 'without pages': 'chip' }[module.state]}>
          {module.state}
        </span>
      </p>
    </>
  );
}

function Operators({ links }: { links: Link[] }) {
  return (
    <section aria-labelledby="operators">
      <h2 id="operators">For operators</h2>
      <dl className="rows">
        {links.map((link) => (
          <div key={link.title}>
            <dt>{link.title}</dt>
            <dd>
              <code>{link.text}</code>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Links that the edge gives to operators' networks alone: others get an empty answer. */
async function operatorLinks(): Promise<Link[]> {
  const answer = await fetch('/operators.json');
  return answer.status === 200 ? ((await answer.json()) as Link[]) : [];
}

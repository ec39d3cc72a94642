import type { Service } from './config';
import type { Reply } from './gateway';

interface Props {
  services: Service[];
  asked: Service[]; // those of them that can be asked now
  replies: Record<string, Reply>;
  asking: boolean;
  again: () => void;
}

/** The services of the module, and which of them answer. */
export function Services({ services, asked, replies, asking, again }: Props) {
  const good = asked.filter((service) => replies[service.name]?.answers).length;
  const sum = asked.length ? `${good} of ${asked.length} answer` : 'Log in to ask them';
  return (
    <section aria-labelledby="services">
      <div className="head">
        <div>
          <h2 id="services">Services</h2>
          <p role="status">{asking ? 'Asking …' : sum}</p>
        </div>
        <button type="button" onClick={again} disabled={asking || !asked.length}>
          Ask again
        </button>
      </div>
      <ul className="rows">
        {services.map((service) => (
          <li key={service.name}>
            <div>
              <h3>{service.name}</h3>
              <p className="soft">{service.purpose}</p>
            </div>
            <State service={service} asked={asked.includes(service)} reply={replies[service.name]} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function State({ service, asked, reply }: { service: Service; asked: boolean; reply: Reply | undefined }) {
  if (service.path === null) return <span className="chip">internal</span>;
  if (!asked) return <span className="chip">needs a login</span>;
  if (!reply) return <span className="chip">…</span>;
  return (
    <span className={reply.answers ? 'chip good' : 'chip bad'}>
      {reply.answers ? 'answers' : 'does not answer'} <small>{reply.text}</small>
    </span>
  );
}

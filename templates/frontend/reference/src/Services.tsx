import type { Service } from './config';
import type { Reply } from './gateway';

interface Props {
  services: Service[];
  replies: Record<string, Reply>;
  asking: boolean;
  again: () => void;
}

/** The services of the module, and which of them answer. */
export function Services({ services, replies, asking, again }: Props) {
  const routed = services.filter((service) => service.path !== null);
  const good = routed.filter((service) => replies[service.name]?.answers).length;
  return (
    <section aria-labelledby="services">
      <div className="head">
        <h2 id="services">Services</h2>
        <p role="status">{asking ? 'Asking …' : `${good} of ${routed.length} answer`}</p>
        <button type="button" onClick={again} disabled={asking}>
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
            <State service={service} reply={replies[service.name]} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function State({ service, reply }: { service: Service; reply: Reply | undefined }) {
  if (service.path === null) return <span className="chip">internal</span>;
  if (!reply) return <span className="chip">…</span>;
  return (
    <span className={reply.answers ? 'chip good' : 'chip bad'}>
      {reply.answers ? 'answers' : 'does not answer'} <small>{reply.text}</small>
    </span>
  );
}

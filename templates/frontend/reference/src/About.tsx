import type { ModuleConfig } from './config';

/** What this page is, and the paths that it asks. */
export default function About({ config }: { config: ModuleConfig }) {
  const routed = config.services.filter((service) => service.path !== null);
  return (
    <section aria-labelledby="about">
      <h2 id="about">About this page</h2>
      <p>
        {config.title} has no pages of its own yet. This page stands in for them in the environment{' '}
        <strong>{config.environment}</strong> and asks these paths of the gateway:
      </p>
      <ul className="rows">
        {routed.map((service) => (
          <li key={service.name}>
            <span>{service.name}</span> <code>{service.path}</code>
          </li>
        ))}
      </ul>
      <p className="soft">
        <a href={import.meta.env.BASE_URL}>Back to the services</a>
      </p>
    </section>
  );
}

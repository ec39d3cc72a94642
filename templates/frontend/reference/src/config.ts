/** config.json, which each environment serves next to the build. */

export interface Service {
  name: string;
  purpose: string;
  path: string | null; // below the gateway; null if no route leads to it
  login: boolean; // whether a gateway that asks for logins wants one there
}

export interface ModuleConfig {
  environment: string;
  login: string | null; // the path that takes a login, if the gateway asks for one
  services: Service[];
  purpose: string;
  title: string;
}

/** The services that can be asked now: the gateway refuses the others without a login. */
export function askable(config: ModuleConfig, loggedIn: boolean): Service[] {
  const open = (service: Service) => loggedIn || config.login === null || !service.login;
  return config.services.filter((service) => service.path !== null && open(service));
}

export interface PortalModule {
  slug: string;
  title: string;
  purpose: string;
  state: 'open' | 'closed' | 'without pages';
  message: string;
}

export interface PortalConfig {
  environment: string;
  modules: PortalModule[];
}

export interface Link {
  title: string;
  text: string;
}

export async function read<T>(name: string): Promise<T> {
  const answer = await fetch(import.meta.env.BASE_URL + name, { headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${name} answers ${answer.status}`);
  return (await answer.json()) as T;
}

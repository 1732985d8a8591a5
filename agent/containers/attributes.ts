/**
 * What a container's variables and labels say: registrator's `SERVICE_*` in either, the same as
 * labels `service.*`, and Proconsul's own labels `proconsul.*`.
 */
import type { Container } from './runtime.ts';

/** What of a container may say something about its services. */
type Sayings = Pick<Container, 'labels' | 'variables'>;

/** By key: lower case, with an underscore between its parts, as in `check_http`. */
export type Attributes = Map<string, string>;

export interface PortAttributes {
  readonly attributes: Attributes;
  /** Whether the name was given for this port alone; then it is taken as it is. */
  readonly ownName: boolean;
  readonly ownId: boolean;
}

const PREFIX = 'SERVICE_';
const LABEL_PREFIX = 'service.';
const NAMED = /^proconsul\.services\.([^.]+)\.(.+)$/;
const NUMBER = /^[+-]?\d+$/;

/** The attributes of the service on a port: those for that port go before those for all. */
export function portAttributes(container: Sayings, port: string): PortAttributes {
  const general: Attributes = new Map();
  const own: Attributes = new Map();
  for (const [key, value] of serviceKeys(container)) {
    const [first = '', ...rest] = key.split('_');
    if (NUMBER.test(first) && rest.length > 0) {
      if (first === port) own.set(rest.join('_'), value);
    } else {
      general.set(key, value);
    }
  }
  return {
    attributes: new Map([...general, ...own]),
    ownName: own.has('name'),
    ownId: own.has('id'),
  };
}

/** Of one key the last counts: labels before variables, as in registrator. */
function* serviceKeys(container: Sayings): Generator<[key: string, value: string]> {
  const { variables, labels } = container;
  for (const [key, value] of [...variables, ...labels]) {
    if (key.startsWith(PREFIX)) yield [key.slice(PREFIX.length).toLowerCase(), value];
  }
  for (const [key, value] of labels) {
    if (key.startsWith(LABEL_PREFIX)) yield [normal(key.slice(LABEL_PREFIX.length)), value];
  }
}

/** The services that labels `proconsul.services.<key>.<field>` name, by key. */
export function namedServices(container: Sayings): Map<string, Attributes> {
  const services = new Map<string, Attributes>();
  for (const [label, value] of container.labels) {
    const [, key, field] = NAMED.exec(label) ?? [];
    if (key === undefined || field === undefined) continue;
    const attributes = services.get(key) ?? new Map();
    services.set(key, attributes.set(normal(field), value));
  }
  return services;
}

function normal(key: string): string {
  return key.toLowerCase().replaceAll('.', '_');
}

/** The value of `proconsul.<name>`, '' when there is none. */
export function ownLabel(container: Sayings, name: string): string {
  return container.labels.get(`proconsul.${name}`) ?? '';
}

/** true or false as `proconsul.<name>` says, undefined when it says nothing. */
export function ownSwitch(container: Sayings, name: string): boolean | undefined {
  const value = ownLabel(container, name).toLowerCase();
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  return undefined;
}

/**
 * The types of checks, in the order in which Consul tells them apart. An agent looks at them
 * (agent/checks/kinds has one file each); a server only names what a definition is of.
 */

/** Whether a definition says something in a field. */
export type Says = (field: string) => boolean;

interface CheckType {
  readonly type: string;
  is(says: Says): boolean;
  /** It is looked at again and again, and so is nothing without an interval. */
  readonly polled?: true;
}

const PROGRAM = (says: Says) => says('Args') || says('ScriptArgs');

export const CHECK_TYPES = [
  { type: 'grpc', is: (says) => says('GRPC'), polled: true },
  { type: 'http', is: (says) => says('HTTP'), polled: true },
  { type: 'ttl', is: (says) => says('TTL') },
  { type: 'tcp', is: (says) => says('TCP'), polled: true },
  { type: 'udp', is: (says) => says('UDP'), polled: true },
  { type: 'h2ping', is: (says) => says('H2PING'), polled: true },
  { type: 'os_service', is: (says) => says('OSService'), polled: true },
  { type: 'alias', is: (says) => says('AliasNode') || says('AliasService') },
  { type: 'docker', is: (says) => says('DockerContainerID') && PROGRAM(says), polled: true },
  // A catalog takes it for one without an interval too.
  { type: 'script', is: PROGRAM },
] as const satisfies readonly CheckType[];

export type CheckTypeName = (typeof CHECK_TYPES)[number]['type'];

/** What stands for "left out" says nothing; nor does a duration that has passed before it began. */
export function saysOf(definition: object): Says {
  const values = definition as Readonly<Record<string, unknown>>;
  return (field) => {
    const value = Object.hasOwn(values, field) ? values[field] : undefined;
    if (typeof value === 'number') return value > 0;
    return Array.isArray(value) ? value.length > 0 : typeof value === 'string' && value !== '';
  };
}

/**
 * What a later Consul knows of an instance, or a node. Where nobody said anything of it nothing is shown, so that
 * answers stay those of 1.8.7.
 */
import type { Schema } from './decode.ts';
import type { LaterFields, Locality } from './model.ts';

const text = { type: 'string', default: '' } as const;

export const LOCALITY_SCHEMA: Schema = {
  type: 'object',
  properties: { Region: text, Zone: text },
};

/** How a body or a file says them. */
export const LATER_SCHEMA: Readonly<Record<keyof LaterFields, Schema>> = {
  SocketPath: { type: 'string' },
  Ports: {
    type: 'array',
    maxItems: 64,
    items: {
      type: 'object',
      properties: {
        Name: text,
        Port: { type: 'integer', default: 0 },
        Default: { type: 'boolean', default: false },
      },
    },
  },
  Locality: LOCALITY_SCHEMA,
};

/** Those that say something. */
export function laterFields({ SocketPath, Ports, Locality }: LaterFields): LaterFields {
  return {
    ...(SocketPath !== undefined && SocketPath !== '' && { SocketPath }),
    ...(Ports !== undefined && Ports.length > 0 && { Ports }),
    ...localityOf({ Locality }),
  };
}

/** Where a node or an instance is, if that says anything. */
export function localityOf({ Locality }: { readonly Locality?: Locality | undefined }) {
  return { ...(Locality !== undefined && (Locality.Region || Locality.Zone) && { Locality }) };
}

/** Nearly all instances have none: rows that many have are only copied where there is one. */
export function hasLaterFields({ SocketPath, Ports, Locality }: LaterFields): boolean {
  return SocketPath !== undefined || Ports !== undefined || Locality !== undefined;
}

/** The port for who knows of one alone: the only one said, or the default of several. */
export function mainPort({ Port, Ports }: LaterFields & { readonly Port: number }): number {
  return Port !== 0 ? Port : (Ports?.find((each) => each.Default)?.Port ?? 0);
}

/** As Consul's own client checks them before it sends them. */
export function portsFault({ Port, Ports = [] }: LaterFields & { readonly Port: number }) {
  const names = new Set<string>();
  for (const { Name, Port: port } of Ports) {
    if (Name.trim() === '') return 'Ports.Name cannot be empty';
    if (port <= 0) return 'Ports.Port must be non-zero';
    if (names.has(Name)) return `Ports.Name ${JSON.stringify(Name)} has to be unique`;
    names.add(Name);
  }
  const [main, ...others] = Ports.filter((each) => each.Default);
  if (others.length > 0) return 'only one port can be marked as default';
  if (main === undefined) {
    return Ports.length > 0 ? 'one of the Ports must be marked as Default' : undefined;
  }
  const differs = Port !== 0 && Port !== main.Port;
  return differs ? `Port ${Port} is not the default one of Ports, ${main.Port}` : undefined;
}

/** What a name under our domain asks about. */

export type Subject =
  | ServiceSubject
  | { readonly about: 'connect' | 'ingress' | 'virtual'; readonly name: string }
  | { readonly about: 'node'; readonly name: string }
  | { readonly about: 'query'; readonly name: string }
  /** `ip` is undefined where the text stands for none. */
  | { readonly about: 'address'; readonly ip: string | undefined }
  | { readonly about: 'nothing' };

interface ServiceSubject {
  readonly about: 'service';
  readonly name: string;
  readonly tag: string;
  /** The name of one of its ports; '' for the one that it has for who knows of one alone. */
  readonly port: string;
}

const NOTHING: Subject = { about: 'nothing' };
const PORT = 'port';
const KINDS = new Set(['service', 'connect', 'ingress', 'virtual', 'node', 'query', 'addr']);

/**
 * `labels` stand before the domain, in lower case. A name of another data centre is about nothing:
 * they are not known here.
 */
export function subjectOf(labels: readonly string[], datacenter: string): Subject {
  const at = labels.findLastIndex((label) => KINDS.has(label));
  const kind = labels[at];
  if (kind === undefined) return NOTHING;
  const parts = labels.slice(0, at);
  const { port, where } = portBehind(kind, labels.slice(at + 1));
  const [dc = datacenter, ...more] = where;
  if (parts.length === 0 || more.length > 0) return NOTHING;
  // An address is one wherever it is.
  if (kind === 'addr') return parts.length === 1 ? addressOf(parts[0] as string) : NOTHING;
  return dc === datacenter.toLowerCase() ? ofKind(kind, parts, port) : NOTHING;
}

/** A later Consul's `<service>.service.<port>.port`. */
function portBehind(kind: string, labels: readonly string[]) {
  const [port = '', mark] = labels;
  const isNamed = kind === 'service' && mark === PORT;
  return isNamed ? { port, where: labels.slice(2) } : { port: '', where: labels };
}

function ofKind(kind: string, parts: readonly string[], port: string): Subject {
  const last = parts.at(-1) as string;
  switch (kind) {
    case 'service':
      return serviceOf(parts, port);
    case 'connect':
    case 'ingress':
    case 'virtual':
      return { about: kind, name: last };
    case 'node':
      return { about: 'node', name: parts.join('.') };
    default:
      return { about: 'query', name: rfc2782(parts)?.name ?? parts.join('.') };
  }
}

/**
 * `name`, `tag.name` where the tag may have dots, or RFC 2782's `_name._tag`. Right before the name may
 * stand that of a port too, as `http.port.name`.
 */
function serviceOf(parts: readonly string[], behind: string): Subject {
  const about = 'service';
  const asked = rfc2782(parts);
  if (asked !== undefined) return { about, ...asked, port: behind };
  const name = parts.at(-1) as string;
  const isNamed = behind === '' && parts.length > 2 && parts.at(-2) === PORT;
  const tag = parts.slice(0, isNamed ? -3 : -1).join('.');
  return { about, name, tag, port: isNamed ? (parts.at(-3) as string) : behind };
}

/** `_tcp` stands where a tag could, and means none. */
function rfc2782(parts: readonly string[]): { name: string; tag: string } | undefined {
  const [name, tag, ...more] = parts;
  if (name === undefined || tag === undefined || more.length > 0) return undefined;
  if (!name.startsWith('_') || !tag.startsWith('_')) return undefined;
  return { name: name.slice(1), tag: tag === '_tcp' ? '' : tag.slice(1) };
}

/** 8 hexadecimal digits or 32: what an SRV calls an instance that has an address of its own. */
function addressOf(hex: string): Subject {
  const about = 'address';
  if (!/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(hex)) return { about, ip: undefined };
  if (hex.length === 32) return { about, ip: (hex.match(/.{4}/g) ?? []).join(':') };
  return { about, ip: [...Buffer.from(hex, 'hex')].join('.') };
}

/**
 * The address that a name of the reverse zones stands for, '' where it stands for none; undefined
 * for a name outside these zones.
 */
export function reverseAddress(labels: readonly string[]): string | undefined {
  const zone = labels.slice(-2).join('.');
  const parts = labels.slice(0, -2).reverse();
  if (zone === 'in-addr.arpa') return parts.length === 4 ? parts.join('.') : '';
  if (zone !== 'ip6.arpa') return undefined;
  return parts.length === 32 ? (parts.join('').match(/.{4}/g) ?? []).join(':') : '';
}

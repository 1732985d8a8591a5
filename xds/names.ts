/** Names of services as DNS writes them, which clients give to what they subscribe to. */

export interface Place {
  readonly datacenter: string;
  /** As dns_config has it, with a dot at its end. */
  readonly domain: string;
}

export type Named =
  | {
      readonly kind: 'service';
      readonly name: string;
      readonly tag: string;
      readonly datacenter: string;
    }
  | { readonly kind: 'query'; readonly name: string; readonly datacenter: string };

/**
 * `[tag.]name[.service][.datacenter][.domain]`, or `name.query[.datacenter][.domain]`. Without a `service` in it,
 * a last part that is this data centre's name is meant as that.
 */
export function serviceNamed(text: string, { datacenter: here, domain }: Place): Named {
  const all = withoutDomain(text, domain).split('.');
  for (const kind of ['service', 'query'] as const) {
    const at = all.lastIndexOf(kind);
    const behind = all.slice(at + 1);
    if (at < 1 || behind.length > 1) continue;
    const datacenter = elsewhere(behind[0] ?? '', here);
    const parts = all.slice(0, at);
    if (kind === 'query') return { kind, name: parts.join('.'), datacenter };
    return { kind, ...tagged(parts), datacenter };
  }
  const isHere = all.length > 1 && all.at(-1)?.toLowerCase() === here.toLowerCase();
  return { kind: 'service', ...tagged(isHere ? all.slice(0, -1) : all), datacenter: '' };
}

/** The same for all ways to name the same: the catalog knows names, tags and data centres in whatever case. */
export function oneName(named: Named): string {
  const tag = named.kind === 'service' ? named.tag : '';
  return [named.kind, named.datacenter, tag, named.name].join(' ').toLowerCase();
}

/** Whether that is how it is written where nothing is said that goes without saying. */
export function isUsual(text: string, named: Named): boolean {
  const foreign = named.datacenter === '' ? [] : [named.datacenter];
  const parts =
    named.kind === 'query'
      ? [named.name, 'query', ...foreign]
      : [named.tag, named.name, ...(foreign.length > 0 ? ['service', ...foreign] : [])];
  const usual = parts.filter((part) => part !== '').join('.');
  return text === usual.toLowerCase();
}

function tagged(parts: readonly string[]): { readonly name: string; readonly tag: string } {
  return { name: parts.at(-1) ?? '', tag: parts.slice(0, -1).join('.') };
}

/** '' for this one: then nothing has to be passed on. */
function elsewhere(datacenter: string, here: string): string {
  return datacenter.toLowerCase() === here.toLowerCase() ? '' : datacenter;
}

function withoutDomain(text: string, domain: string): string {
  const end = `.${domain.replace(/\.$/, '')}`;
  const isIn = end.length > 1 && text.toLowerCase().endsWith(end.toLowerCase());
  return isIn ? text.slice(0, -end.length) : text;
}

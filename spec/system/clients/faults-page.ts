/** docs/clients.md: which methods of which libraries fail, made of what their programs said. */
import { readFileSync, writeFileSync } from 'node:fs';

/** One method that was called; the fault is '' where there was none. */
export interface Called {
  readonly method: string;
  readonly fault: string;
}

export interface EveryMethod {
  readonly name: string;
  readonly version: string;
}

const INTRO = `# What client libraries can call

Each library's own methods, called once each by a program of \`spec/system/clients\` against one server under
access control. All that is not in a table here is answered as the library expects.
\`npm run clients\` runs the programs, and makes this page of what they say.
`;

/** Why it is so, by what the method is called, then by what it is told. */
const REASONS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/deprecated in Consul 1\.4/, 'the library refuses by itself'],
  [
    /^(Namespaces|Partitions|Census)\.|^Operator\.(Area|License|Segment|Audit)/,
    'of Consul Enterprise',
  ],
  [
    /^Operator\.FeatureGate|AssignServiceVirtualIP|(Ex|Im)portedServices/,
    "a later Consul's, not built",
  ],
  [/^Peerings\.|peering/i, 'clusters are not peered here'],
  [/no browser login/, 'asked of a method that is not of the type `oidc`; one that is answers'],
  [/not a valid Service identifier/, 'asked of a certificate that names no service: as in Consul'],
  [/405 method PUT/, 'Consul takes a POST alone: as in Consul'],
  [/no longer allowed/, 'the first token was made already: as in Consul'],
  [/no other server|was not found|No node found/, 'there is none to be meant: as in Consul'],
];

function reasonOf({ method, fault }: Called): string {
  const all = `${method} ${fault}`;
  return REASONS.find(([pattern]) => pattern.test(all) || pattern.test(method))?.[1] ?? '?';
}

export class FaultsPage {
  readonly #path: string;
  /** By the heading of the library. */
  readonly #sections = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
    const [, ...sections] = readFileSync(path, 'utf8').split(/^## /m);
    for (const text of sections) this.#sections.set(headingOf(text), text);
  }

  /** How what failed differs from what the page says, in lines. */
  differences(library: EveryMethod, called: readonly Called[]): string[] {
    const known = new Set(methodsIn(this.#sections.get(headed(library)) ?? ''));
    const failed = called.filter(({ fault }) => fault !== '');
    const names = new Set(failed.map(({ method }) => `\`${method}\``));
    return [
      ...failed
        .filter(({ method }) => !known.has(`\`${method}\``))
        .map(({ method, fault }) => `${method} fails: ${fault}`),
      ...[...known].filter((name) => !names.has(name)).map((name) => `${name} no longer fails`),
    ];
  }

  set(library: EveryMethod, called: readonly Called[]): void {
    const failed = called.filter(({ fault }) => fault !== '');
    const groups = new Map<string, string[]>();
    for (const each of failed) {
      const told = each.fault
        .replace(/\d[\d.:-]{3,}\d|\d{3,}-[\d-]+|(?<=index: )\d+/g, '…')
        .replaceAll('|', '\\|');
      const rest = `${told} | ${reasonOf(each)}`;
      groups.set(rest, [...(groups.get(rest) ?? []), `\`${each.method}\``]);
    }
    const rows = [...groups].map(([rest, methods]) => `| ${methods.join(', ')} | ${rest} |\n`);
    const head = `${called.length} methods were called, and ${failed.length} of them failed.\n`;
    const table =
      rows.length === 0
        ? ''
        : `\n| method | is told | why |\n| --- | --- | --- |\n${rows.join('')}`;
    this.#sections.set(headed(library), `${headed(library)}\n${head}${table}`);
  }

  write(): void {
    const sections = [...this.#sections.values()].map((text) => `\n## ${text.trimEnd()}\n`);
    writeFileSync(this.#path, INTRO + sections.join(''));
  }
}

/** In the first column: what follows may quote something too. */
function methodsIn(section: string): string[] {
  const cells = section.match(/^\| `[^|]*\|/gm) ?? [];
  return cells.flatMap((cell) => cell.match(/`[\w.]+`/g) ?? []);
}

function headed({ name, version }: EveryMethod): string {
  return `${name} ${version}`;
}

function headingOf(section: string): string {
  return section.split('\n', 1)[0] ?? '';
}

/** The tokens that requests are asked with, and what each may still see. */
import { LADEN } from './hostile-acl.ts';
import { type Boss, OTHERS, READERS } from './planted-world.ts';

/** Whoever may see what is planted, until he may not. */
interface Passing {
  readonly secret: string;
  readonly accessor: string;
  /** When it was over, by the clock of whoever asks. */
  overAt: number;
}

export interface Bearer {
  readonly kind:
    | 'none'
    | 'wrong'
    | 'odd'
    | 'huge'
    | 'others'
    | 'reader'
    | 'laden'
    | 'passing'
    | 'boss';
  /** As it stands in the header; undefined for none. */
  readonly token: string | undefined;
  readonly passing?: Passing;
}

const MB = 1024 * 1024;
const ODD = [
  ...[
    'allow',
    'deny',
    'manage',
    'anonymous',
    '__proto__',
    'constructor',
    'x',
    ' ',
    '\u00ff\u00fe',
    '%00',
    '<hidden>',
  ],
  ...['00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', "' or 1=1"],
  ...['a, b', 'Bearer x', '"', '\t', '11111111-1111-4111-8111-11111111111', 'y'.repeat(20_000)],
];

const MAX_PASSING = 64;

export class Bearers {
  readonly #boss: Boss;
  readonly #bossToken: string;
  readonly #now: () => number;
  #others = '';
  #reader = '';
  readonly #passing: Passing[] = [];

  constructor(boss: Boss, bossToken: string, now: () => number) {
    this.#boss = boss;
    this.#bossToken = bossToken;
    this.#now = now;
  }

  async make(): Promise<void> {
    for (const [Name, Rules] of [
      ['bearer-others', OTHERS],
      ['bearer-reader', READERS],
    ] as const) {
      await this.#boss('PUT', '/v1/acl/policy', { Name, Rules });
    }
    this.#others = (await this.#token('bearer-others')).secret;
    this.#reader = (await this.#token('bearer-reader')).secret;
    for (let i = 0; i < MAX_PASSING / 2; i++) await this.pass();
    // The shortest life that a token may have.
    for (let i = 0; i < MAX_PASSING / 4; i++) {
      const token = await this.#token('bearer-reader', { ExpirationTTL: '60s' });
      this.#passing.push({ ...token, overAt: this.#now() + 60_000 });
    }
  }

  /** One more who may see it. */
  async pass(): Promise<void> {
    this.#passing.push({
      ...(await this.#token('bearer-reader')),
      overAt: Number.POSITIVE_INFINITY,
    });
    if (this.#passing.length > MAX_PASSING) this.#passing.shift();
  }

  /** One less: it is over as soon as the server has said so. */
  async revoke(): Promise<void> {
    const one = this.#passing.find(({ overAt }) => overAt === Number.POSITIVE_INFINITY);
    if (one === undefined) return;
    await this.#boss('DELETE', `/v1/acl/token/${one.accessor}`);
    one.overAt = this.#now();
  }

  draw(chance: () => number): Bearer {
    const at = Math.floor(chance() * 100);
    if (at < 15) return { kind: 'none', token: undefined };
    if (at < 25) return { kind: 'wrong', token: '99999999-9999-4999-8999-999999999999' };
    if (at < 40) return { kind: 'odd', token: ODD[Math.floor(chance() * ODD.length)] };
    if (at < 41) return { kind: 'huge', token: 'h'.repeat(MB) };
    if (at < 65) return { kind: 'others', token: this.#others };
    if (at < 72) return { kind: 'reader', token: this.#reader };
    if (at < 80) return { kind: 'laden', token: LADEN };
    const passing = this.#passing[Math.floor(chance() * this.#passing.length)] as Passing;
    return { kind: 'passing', token: passing.secret, passing };
  }

  get boss(): Bearer {
    return { kind: 'boss', token: this.#bossToken };
  }

  /** Whether it may see what is planted when it asks now, where tokens are believed for so long. */
  maySee({ kind, passing }: Bearer, believedMs: number): boolean {
    if (kind === 'boss' || kind === 'reader' || kind === 'laden') return true;
    return passing !== undefined && this.#now() < passing.overAt + believedMs;
  }

  async #token(policy: string, more: object = {}): Promise<{ secret: string; accessor: string }> {
    const body = { Description: 'bearer', Policies: [{ Name: policy }], ...more };
    const { json } = await this.#boss('PUT', '/v1/acl/token', body);
    const { SecretID, AccessorID } = json as { SecretID: string; AccessorID: string };
    return { secret: SecretID, accessor: AccessorID };
  }
}

/**
 * Readers whose rights change while they read, and whose tokens are revoked. No answer shows what
 * the rights hid all the while, and none hides what they showed all the while, default reads and
 * waits alike. Who brings no token may do anything here: the others need none.
 */
import type { SimClient } from '../client.ts';
import { MANAGEMENT } from '../server.ts';
import { Clients } from './clients.ts';
import type { Row } from './sightings.ts';

const READERS = 3;
const FOLDERS = ['a', 'b'] as const;
const PAUSE_MS = 150;
const CHANGE_MS = 1500;
const RETRY_MS = 300;
const WAIT_S = 4;
/** A wait, and as long as a default read may be held back before it. */
const LATEST_MS = 13_000;

/** What a token may read, from some moment in `from` to `known` on. */
interface Granted {
  readonly folders: readonly string[];
  readonly from: number;
  /** Infinity where nobody answered: it may come to be at any time later, or never. */
  known: number;
}

/** A token with a policy of its own, and what that came to. */
interface Grant {
  readonly name: string;
  readonly secret: string;
  readonly accessor: string;
  readonly policy: string;
  readonly history: Granted[];
}

interface Written {
  readonly from: number;
  readonly known: number;
  readonly folder: string;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

export class Access extends Clients {
  readonly #grants: (Grant | undefined)[] = Array.from({ length: READERS });
  /** By value, each of which is written once. */
  readonly #written = new Map<string, Written>();
  /** The newest in each folder that is known to be there. */
  readonly #newest = new Map<string, string>();
  #made = 0;

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.as('admin', (admin) => this.#administer(admin, untilMs)),
      this.as('writer', (writer) => this.#write(writer, untilMs)),
      this.each('q', READERS, (reader, i) => this.#read(reader, i, untilMs)),
    ]);
  }

  async #administer(admin: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      for (let i = 0; i < READERS && world.now < untilMs; i++) {
        const grant = this.#grants[i];
        if (grant === undefined) this.#grants[i] = await this.#grant(admin);
        else if (!(await this.#change(admin, grant))) this.#grants[i] = undefined;
        await this.rest(admin, CHANGE_MS / READERS);
      }
    }
  }

  /** Undefined where one answer was missing: what was begun is left alone. */
  async #grant(admin: SimClient): Promise<Grant | undefined> {
    const name = `p${++this.#made}`;
    const folders = this.#anyFolders();
    const policy = await this.#ask(admin, 'PUT', '/v1/acl/policy', policyOf(name, folders));
    if (policy === undefined) return undefined;
    const body = { Description: name, Policies: [{ Name: name }] };
    const token = await this.#ask(admin, 'PUT', '/v1/acl/token', body);
    if (token === undefined) return undefined;
    const { AccessorID = '', SecretID = '' } = token;
    const history = [{ folders, from: 0, known: 0 }];
    return { name, secret: SecretID, accessor: AccessorID, policy: policy.ID ?? '', history };
  }

  /** False where it is not to be used any more: revoked, or nobody knows what it comes to. */
  async #change(admin: SimClient, grant: Grant): Promise<boolean> {
    const { world } = this.cluster;
    const revokes = world.random.next() < 0.25;
    const folders = revokes ? [] : this.#anyFolders();
    const granted = { folders, from: world.now, known: Number.POSITIVE_INFINITY };
    grant.history.push(granted);
    const done = revokes
      ? await this.#ask(admin, 'DELETE', `/v1/acl/token/${grant.accessor}`)
      : await this.#ask(admin, 'PUT', `/v1/acl/policy/${grant.policy}`, {
          ...policyOf(grant.name, folders),
          ID: grant.policy,
        });
    if (done === undefined) return false;
    granted.known = world.now;
    world.say(`${grant.name} may read ${folders.join(' and ') || 'nothing'}`);
    // Revoked ones are asked with a while longer.
    if (revokes) await admin.pause(CHANGE_MS);
    return !revokes;
  }

  async #write(writer: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    for (let n = 1; world.now < untilMs; n++) {
      const folder = FOLDERS[n % FOLDERS.length] as string;
      const value = `${folder}${n}`;
      const from = world.now;
      const path = `/v1/kv/acl/${folder}/k`;
      this.#written.set(value, { from, known: Number.POSITIVE_INFINITY, folder });
      const answer = await writer.ask(this.anyPort(), 'PUT', path, { body: value });
      if (answer?.status === 200) {
        this.#written.set(value, { from, known: world.now, folder });
        this.#newest.set(folder, value);
      } else {
        await writer.pause(RETRY_MS);
      }
      await this.rest(writer, PAUSE_MS);
    }
  }

  async #read(reader: SimClient, number: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let index = 0;
    let grant: Grant | undefined;
    while (world.now < untilMs) {
      const now = this.#grants[number] ?? grant;
      if (grant !== now) index = 0;
      grant = now;
      if (grant !== undefined) index = await this.#look(reader, grant, index);
      await this.rest(reader, PAUSE_MS);
    }
  }

  /** Reads all, or waits for what is newer than `index`; the index of the answer, 0 for none. */
  async #look(reader: SimClient, grant: Grant, index: number): Promise<number> {
    const { world, splits } = this.cluster;
    const from = world.now;
    const waits = index > 0 && world.random.next() < 0.5;
    const mode = splits ? '&consistent' : '';
    const wait = waits ? `&index=${index}&wait=${WAIT_S}s` : '';
    // What a wait began with may be older than what is the newest now.
    const newest = waits ? new Map<string, string>() : new Map(this.#newest);
    const answer = await reader.ask(this.anyPort(), 'GET', `/v1/kv/acl/?recurse${mode}${wait}`, {
      token: grant.secret,
      timeoutMs: LATEST_MS,
    });
    if (answer?.status !== 200 && answer?.status !== 404) return 0;
    const rows = answer.status === 404 ? [] : (JSON.parse(answer.text) as Row[]);
    this.#judgeShown(reader, grant, rows, { from, to: world.now });
    this.#judgeHidden(reader, grant, { rows, newest }, { from, to: world.now });
    return answer.index;
  }

  #judgeShown(reader: SimClient, grant: Grant, rows: readonly Row[], { from, to }: Span): void {
    for (const row of rows) {
      const value = textOf(row);
      const written = this.#written.get(value);
      const folder = row.Key.split('/')[1] ?? '';
      // It was shown after it was written: what rights there were before is of no account.
      const since = Math.max(from, written?.from ?? 0);
      if (possible(grant, since, to).some(({ folders }) => folders.includes(folder))) continue;
      const what = `${reader.machine.name} as ${grant.name}: ${value}, asked at ${from.toFixed(0)}`;
      this.violations.add('an answer shows what rights hide', what);
    }
  }

  #judgeHidden(
    reader: SimClient,
    grant: Grant,
    { rows, newest }: { rows: readonly Row[]; newest: ReadonlyMap<string, string> },
    { from, to }: Span,
  ): void {
    const rights = possible(grant, from, to);
    for (const [folder, value] of newest) {
      if (!rights.every(({ folders }) => folders.includes(folder))) continue;
      if (rows.some(({ Key }) => Key.startsWith(`acl/${folder}/`))) continue;
      const what = `${reader.machine.name} as ${grant.name}: ${value}, asked at ${from.toFixed(0)}`;
      this.violations.add('an answer hides what rights show', what);
    }
  }

  async #ask(admin: SimClient, method: string, path: string, body?: object) {
    const options = { token: MANAGEMENT, ...(body && { body: JSON.stringify(body) }) };
    const answer = await admin.ask(this.anyPort(), method, path, options);
    if (answer?.status !== 200) {
      await admin.pause(RETRY_MS);
      return undefined;
    }
    return Object(JSON.parse(answer.text)) as {
      ID?: string;
      AccessorID?: string;
      SecretID?: string;
    };
  }

  #anyFolders(): string[] {
    return FOLDERS.filter(() => this.cluster.world.random.next() < 0.5);
  }
}

/** What the token may have come to at some moment between the two. */
function possible({ history }: Grant, from: number, to: number): readonly Granted[] {
  return history.filter((granted, i) => {
    const until = history[i + 1]?.known ?? Number.POSITIVE_INFINITY;
    return granted.from <= to && until >= from;
  });
}

function policyOf(name: string, folders: readonly string[]): object {
  const allowed = folders.map((folder) => `key_prefix "acl/${folder}/" { policy = "read" }`);
  return { Name: name, Rules: ['key_prefix "acl/" { policy = "deny" }', ...allowed].join('\n') };
}

function textOf({ Value }: Row): string {
  return Buffer.from(Value ?? '', 'base64').toString();
}

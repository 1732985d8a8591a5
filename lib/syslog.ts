/**
 * The log's lines in the system's own: Node speaks no datagrams of Unix sockets, so they go through
 * `logger`, which every Linux has. It is given the grade of each line, and outlives no process. Where it
 * ends it is begun anew, and told how many lines are missing: a log that ends silently is worse than none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { Cancel, Clock } from './clock.ts';
import { ProconsulError } from './errors.ts';

/** A syslog that stands still must not fill the memory: lines beyond it are dropped, and counted. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** As syslog counts them. */
const GRADES: ReadonlyMap<string, number> = new Map([
  ['error', 3],
  ['warn', 4],
  ['info', 6],
  ['debug', 7],
]);

/** As many as one message of it may have; else a line's end would be a message of its own. */
const MAX_LINE_BYTES = '8KiB';
const AGAIN_MS = 5000;
const MAX_SAID_CHARS = 200;

export interface SyslogOptions {
  /** As `syslog_facility`. */
  readonly facility: string;
  readonly clock: Pick<Clock, 'after'>;
  /** Specs put another in its place. */
  readonly program?: string;
}

export class Syslog extends Writable {
  readonly #options: SyslogOptions;
  #child: ChildProcess | undefined;
  #dropped = 0;
  #isLost = false;
  #cancel: Cancel = () => undefined;
  /** Told when it has ended, once until it is back. */
  onLost: (why: string) => void = () => undefined;
  onBack: () => void = () => undefined;

  private constructor(options: SyslogOptions) {
    super({ decodeStrings: false });
    this.#options = options;
  }

  /** Rejects where there is no such program: a log that is not there helps nobody. */
  static async open(options: SyslogOptions): Promise<Syslog> {
    const syslog = new Syslog(options);
    try {
      await once(syslog.#begin(), 'spawn');
    } catch (cause) {
      syslog.#cancel();
      throw new ProconsulError('invalid', `enable_syslog: ${programOf(options)} cannot be run`, {
        cause,
      });
    }
    return syslog;
  }

  /** A line of the log, with its level before the first blank. */
  override _write(line: string, _encoding: string, done: () => void): void {
    const stdin = this.#child?.stdin;
    const isOpen = stdin && !this.#isLost && !stdin.destroyed;
    if (!isOpen || stdin.writableLength > MAX_WAITING_BYTES) this.#dropped++;
    else {
      this.#sayDropped(stdin);
      const at = line.indexOf(' ');
      stdin.write(`<${GRADES.get(line.slice(0, at)) ?? 6}>${line.slice(at + 1)}`);
    }
    done();
  }

  override _final(done: () => void): void {
    this.#cancel();
    const stdin = this.#child?.stdin;
    this.#child = undefined;
    if (!stdin || stdin.destroyed) done();
    else stdin.end(done);
  }

  #begin(): ChildProcess {
    const { facility } = this.#options;
    const form = ['--prio-prefix', '--socket-errors=on', '--size', MAX_LINE_BYTES];
    const words = [...form, '-t', 'proconsul', '-p', `${facility.toLowerCase()}.info`];
    const child = spawn(programOf(this.#options), words, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(0, MAX_SAID_CHARS);
    });
    child.once('error', (error) => this.#ended(child, error.message));
    child.once('close', (code, signal) => {
      this.#ended(
        child,
        `it has ended (${signal ?? code})${said === '' ? '' : `: ${said.trim()}`}`,
      );
    });
    // Of what it had not read nobody knows; that it has ended is told by itself.
    child.stdin.on('error', () => undefined);
    return child;
  }

  #ended(child: ChildProcess, why: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (!this.#isLost) this.onLost(`${programOf(this.#options)}: ${why}`);
    this.#isLost = true;
    this.#cancel();
    this.#cancel = this.#options.clock.after(AGAIN_MS, () => this.#beginAgain());
  }

  /** It is back when it has stood for a while. */
  #beginAgain(): void {
    this.#begin();
    this.#cancel = this.#options.clock.after(AGAIN_MS, () => {
      this.#isLost = false;
      this.onBack();
    });
  }

  #sayDropped(stdin: Writable): void {
    if (this.#dropped === 0) return;
    stdin.write(`<4>syslog: lines are missing here: count=${this.#dropped}\n`);
    this.#dropped = 0;
  }
}

function programOf({ program = 'logger' }: SyslogOptions): string {
  return program;
}

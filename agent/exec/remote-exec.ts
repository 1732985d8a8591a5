/**
 * Runs what somebody asks for by `exec`, where the configuration allows it (disable_remote_exec = false):
 * whoever may fire the event `_rexec` and write below its keys runs programs as the agent's user.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, startGroup } from '../../lib/child.ts';
import type { Config } from '../../lib/config/config.ts';
import { describeChain, messageOf, ProconsulError } from '../../lib/errors.ts';
import { REMOTE_EXEC } from '../../lib/events.ts';
import { followPlan } from '../../lib/follow-plan.ts';
import type { System } from '../../lib/system.ts';
import { type Seen, watchPlan } from '../../lib/watch-plan.ts';
import { Chunks } from './chunks.ts';
import { type Ask, type Job, JobKeys, type Place, placeIn } from './job-keys.ts';

/** Programs at once: whoever asks for more is told so. */
const MAX_JOBS = 8;
/** Each part is an entry of the log: what says more is ended. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** As Consul's for what could not be run. */
const NOT_RUN = 255;

export interface RemoteExecOptions {
  readonly ask: (...asked: Parameters<Ask>) => Promise<Seen>;
  readonly node: string;
  /** What programs are run with. */
  readonly env: Environment;
  readonly system: Pick<System, 'clock' | 'logger'>;
}

export class RemoteExec {
  readonly #options: RemoteExecOptions;
  #end: AbortController | undefined;
  #underWay = 0;

  constructor(options: RemoteExecOptions) {
    this.#options = options;
  }

  /** Events of before are nobody's any more: it begins with the next. */
  takeOver({ disableRemoteExec }: Pick<Config, 'disableRemoteExec'>): void {
    if (disableRemoteExec) this.stop();
    else if (this.#end === undefined) {
      this.#end = new AbortController();
      void this.#follow(this.#end.signal);
    }
  }

  /** Programs that run end with it. */
  stop(): void {
    this.#end?.abort();
    this.#end = undefined;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { ask, system } = this.#options;
    const { clock, logger } = system;
    const text = (name: string) => (name === 'name' ? REMOTE_EXEC : '');
    const plan = watchPlan('event', { given: ['name'], text, isSet: () => false, all: () => [] });
    let isFirst = true;
    await followPlan(plan, {
      clock,
      signal,
      look: (query) => ask({ method: 'GET', path: plan.path, query: [...query] }, signal),
      failed: (error, waitMs) =>
        logger.error('exec: cannot hear of what to run, and tries again', {
          retry: `${waitMs / 1000}s`,
          error: describeChain(error),
        }),
      handle: async (input) => {
        const events = isFirst ? [] : (JSON.parse(input) as { Payload?: unknown }[]);
        isFirst = false;
        for (const { Payload } of events) void this.#take(placeIn(Payload), signal);
      },
    });
  }

  /** Never rejects: one job is nobody else's. */
  async #take(place: Place | undefined, end: AbortSignal): Promise<void> {
    const { ask, node, system } = this.#options;
    const { clock, logger } = system;
    if (place === undefined) {
      logger.warn('exec: an event says not what to run');
      return;
    }
    const stop = new AbortController();
    const signal = AbortSignal.any([end, stop.signal]);
    const keys = new JobKeys(ask, place, { clock, node, signal });
    try {
      const job = await keys.job();
      if (job === undefined) {
        logger.info('exec: a job is gone already', { session: place.session });
        return;
      }
      if (!(await keys.write('ack', ''))) return;
      // Else a program that says nothing would run on until it does.
      void keys.gone().then(() => stop.abort());
      const code = await this.#run(job, keys, signal);
      await keys.write('exit', String(code));
    } catch (error) {
      if (end.aborted) return;
      logger.error('exec: a job broke off', {
        session: place.session,
        error: describeChain(error),
      });
    } finally {
      // Whatever went wrong, no program runs on that nobody hears.
      stop.abort();
    }
  }

  async #run(job: Job, keys: JobKeys, signal: AbortSignal): Promise<number> {
    const { logger } = this.#options.system;
    const program = job.command || job.args.join(' ') || 'a script';
    if (this.#underWay >= MAX_JOBS) {
      logger.warn('exec: refused, as too much runs already', { program });
      await keys.write('out/00000', `exec: ${MAX_JOBS} programs run here already\n`);
      return NOT_RUN;
    }
    this.#underWay++;
    logger.info('exec: runs a program', { program });
    const script = await scriptFile(job);
    try {
      const code = await this.#heard(job, script.path, { keys, signal });
      logger.info('exec: a program has ended', { program, code });
      return code;
    } catch (error) {
      if (!(error instanceof ProconsulError) || error.code !== 'rejected') throw error;
      await keys.write('out/00000', `exec: ${error.message}\n`);
      return NOT_RUN;
    } finally {
      this.#underWay--;
      await script.remove();
    }
  }

  /** Hands on what it says; an empty part is a sign of life, as in Consul. */
  async #heard(job: Job, script: string, { keys, signal }: Heard): Promise<number> {
    const { env, system } = this.#options;
    const words = job.args.length > 0 ? job.args : [script || job.command];
    const group = start({ words, shell: job.args.length === 0, env });
    const kill = () => group.kill();
    signal.addEventListener('abort', kill, { once: true });
    const chunks = new Chunks(group.output, system.clock);
    let bytes = 0;
    for (let at = 0; ; at++) {
      const part = await chunks.next(job.waitMs);
      if (part === undefined) break;
      bytes += part.length;
      const isTooMuch = bytes > MAX_OUTPUT_BYTES;
      const text = isTooMuch
        ? `exec: ended, as it says more than ${MAX_OUTPUT_BYTES} bytes\n`
        : part;
      const isHeard = await keys.write(`out/${at.toString(16).padStart(5, '0')}`, text);
      if (isTooMuch || !isHeard) {
        kill();
        return NOT_RUN;
      }
    }
    return await group.exitCode;
  }
}

interface Heard {
  readonly keys: JobKeys;
  readonly signal: AbortSignal;
}

/** Throws ProconsulError 'rejected' for what cannot be begun. */
function start(program: Parameters<typeof startGroup>[0]) {
  try {
    return startGroup(program);
  } catch (cause) {
    throw new ProconsulError('rejected', messageOf(cause), { cause });
  }
}

interface ScriptFile {
  /** '' where there is no script. */
  readonly path: string;
  remove(): Promise<void>;
}

/** A shell runs it: in a folder of its own, where nobody else can put another in its place. */
async function scriptFile({ script }: Job): Promise<ScriptFile> {
  if (script === undefined) return { path: '', remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-exec-'));
  const path = join(folder, 'script');
  await writeFile(path, script, { mode: 0o700 });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

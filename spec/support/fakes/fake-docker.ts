/** A Docker daemon in memory: containers as a spec says they are, and its events at once. */
import {
  type Container,
  type ContainerEvent,
  type ContainerRuntime,
  isUp,
} from '../../../agent/containers/runtime.ts';
import { containerOf, idOf, type Shape } from '../servers/containers.ts';
import { settle } from './fake-clock.ts';

export class FakeDocker implements ContainerRuntime {
  readonly name = 'docker';
  readonly #containers = new Map<string, Container>();
  #streams: Stream[] = [];
  #time = 1000;
  /** Nothing answers. */
  down = false;
  /** Ids of containers that cannot be looked at, and of those that are looked at for long. */
  readonly broken = new Set<string>();
  readonly hanging = new Map<string, Promise<void>>();
  looks = 0;
  /** Happens while the list is read. */
  duringList: () => Promise<void> = async () => undefined;
  /** The `since` of each connection. */
  readonly connections: (number | undefined)[] = [];

  /** The container is now as said; resolves when whoever listens has had time to look. */
  async set(shape: Shape): Promise<void> {
    await this.tell(this.setSilently(shape));
  }

  /** As `set`, but no event tells of it. */
  setSilently(shape: Shape): string {
    const container = containerOf(shape);
    this.#containers.set(container.id, container);
    return container.id;
  }

  async remove(name: string): Promise<void> {
    this.#containers.delete(idOf(name));
    await this.tell(idOf(name));
  }

  async tell(containerId: string): Promise<void> {
    this.#time++;
    for (const stream of this.#streams) stream.push({ containerId, time: this.#time });
    await settle();
  }

  /** Ends all connections, as a daemon does that is restarted. */
  cut(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams = [];
  }

  async events(since: number | undefined, signal: AbortSignal): Promise<Stream> {
    this.#answer();
    this.connections.push(since);
    const stream = new Stream();
    this.#streams.push(stream);
    signal.addEventListener('abort', () => stream.end());
    return stream;
  }

  async list(): Promise<string[]> {
    this.#answer();
    const shown = [...this.#containers.values()].filter(
      (container) => isUp(container) || container.state === 'restarting',
    );
    await this.duringList();
    return shown.map(({ id }) => id);
  }

  async inspect(id: string): Promise<Container | undefined> {
    this.#answer();
    this.looks++;
    await this.hanging.get(id);
    if (this.broken.has(id)) throw new Error('driver failed');
    return this.#containers.get(id);
  }

  async exec(): Promise<number> {
    return 0;
  }

  #answer(): void {
    if (this.down) throw new Error('connect ENOENT docker.sock');
  }
}

class Stream implements AsyncIterable<ContainerEvent> {
  readonly #events: ContainerEvent[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  push(event: ContainerEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ContainerEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

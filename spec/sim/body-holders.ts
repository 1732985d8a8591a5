/**
 * Who holds room for large bodies: all processes of a world share what is one process's, and who is killed gives
 * nothing back. So what is left over is told of those alone that were not; and the next world finds it empty.
 */
import { type BodyRoom, type Claim, largeBodies } from '../../lib/body-room.ts';
import type { Owner } from './world/machine.ts';
import type { World } from './world/world.ts';

export class BodyHolders {
  readonly #held = new Map<Pick<Claim, 'end'>, Owner>();
  readonly #room: Partial<Pick<BodyRoom, 'claim' | 'deliver'>> = largeBodies;

  constructor(world: World) {
    const { claim, deliver } = Object.getPrototypeOf(largeBodies) as BodyRoom;
    const held = this.#held;
    Object.assign(this.#room, {
      claim: (step?: number): Claim => {
        const one = claim.call(largeBodies, step);
        const end = () => {
          held.delete(one);
          one.end();
        };
        const grow = (bytes: number) => {
          const before = largeBodies.bytes;
          one.grow(bytes);
          // What is small takes no room.
          if (largeBodies.bytes !== before) held.set(one, world.here);
        };
        return { grow, end };
      },
      deliver: (body: Buffer, cutOff: () => void) => {
        const one = deliver.call(largeBodies, body, cutOff);
        held.set(one, world.here);
        const end = () => {
          held.delete(one);
          one.end();
        };
        return { taken: (bytes: number) => one.taken(bytes), end };
      },
    });
  }

  /** Those whose process was not killed: by its end it has given back what it took. */
  get left(): readonly string[] {
    const living = [...this.#held.values()].filter(({ machine, boot }) => boot === machine.boot);
    return living.map(({ machine }) => machine.name);
  }

  /** Nothing is held any more, and nobody is looked at. */
  end(): void {
    for (const one of this.#held.keys()) one.end();
    this.#held.clear();
    delete this.#room.claim;
    delete this.#room.deliver;
  }
}

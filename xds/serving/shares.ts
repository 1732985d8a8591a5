/**
 * Of what there is a limited number for all, no address takes more than half: the others' clients get some too. Where all
 * of it is taken, whoever has most gives way to whoever has less: a few strangers would keep everybody else out for good.
 * What an address has had for some time stays: a crowd behind one would lose all it has to strangers of a hundred.
 */
import { networkOf } from '../../lib/ip.ts';
import type { Logger } from '../../lib/logger.ts';

interface Taken {
  readonly giveWay: (() => void) | undefined;
}

interface Share {
  /** The newest last. */
  readonly taken: Set<Taken>;
  /** It had so many at any time since the last look. */
  least: number;
  /** So many do not give way. */
  standing: number;
  /** For how many looks that stays so, though it has fewer. */
  staysFor: number;
}

export interface SharesOptions {
  readonly most: number;
  /** Of what, as the log says it. */
  readonly of: string;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Of seconds: between looks at what each has, and lines in the log. */
const MINUTE = 60;
/** A crowd whose line was cut comes again to what it had. */
const STAYS_FOR = 10;
/** What stands is no more than this part of all there may be, so that others come to their share of the rest. */
const STANDING_OF_ALL = 1 / 2;
const STANDING_OF_ONE = 1 / 5;

export class Shares {
  readonly #options: SharesOptions;
  readonly #byAddress = new Map<string, Share>();
  #all = 0;
  #standing = 0;
  #reviews = 0;
  #saidAgo = MINUTE;
  #refused = 0;
  #gaveWay = 0;

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /** Undefined where there is none left; else gives it back, once. `giveWay`: has it given back at once, for another. */
  take(from: string, giveWay?: () => void): (() => void) | undefined {
    const { most } = this.#options;
    const address = networkOf(from);
    const share = this.#byAddress.get(address) ?? newShare();
    const has = share.taken.size;
    const isWithinHalf = has < Math.ceil(most / 2);
    if (isWithinHalf && this.#all >= most) this.#makeRoom(has < share.standing ? 0 : has + 1);
    if (!isWithinHalf || this.#all >= most) {
      this.#refused++;
      return undefined;
    }
    const taken = { giveWay };
    this.#all++;
    share.taken.add(taken);
    this.#byAddress.set(address, share);
    return () => {
      if (!share.taken.delete(taken)) return;
      this.#all--;
      share.least = Math.min(share.least, share.taken.size);
      this.#forgetIfEmpty(address, share);
    };
  }

  /** To be called once in a second. */
  review(): void {
    this.#saidAgo++;
    if (this.#refused + this.#gaveWay > 0 && this.#saidAgo >= MINUTE) this.#say();
    this.#reviews = (this.#reviews + 1) % MINUTE;
    if (this.#reviews !== 0) return;
    for (const [address, share] of this.#byAddress) {
      this.#standAnew(share);
      share.least = share.taken.size;
      this.#forgetIfEmpty(address, share);
    }
  }

  #standAnew(share: Share): void {
    const { most } = this.#options;
    const wanted = Math.min(share.least, Math.floor(most * STANDING_OF_ONE));
    if (wanted < share.standing && --share.staysFor > 0) return;
    const left = Math.floor(most * STANDING_OF_ALL) - (this.#standing - share.standing);
    const standing = Math.min(wanted, left);
    this.#standing += standing - share.standing;
    share.standing = standing;
    share.staysFor = STAYS_FOR;
  }

  /**
   * Only for whoever will have no more than the one who has most: else they would take it from one another without end.
   * For what stood before that is anybody who has more than stands.
   */
  #makeRoom(willHave: number): void {
    let most: Share | undefined;
    for (const each of this.#byAddress.values()) {
      const { size } = each.taken;
      if (size > each.standing && size > (most?.taken.size ?? 0)) most = each;
    }
    if (most === undefined || willHave >= most.taken.size) return;
    const before = this.#all;
    // The others of it may have been there for long.
    [...most.taken].at(-1)?.giveWay?.();
    if (this.#all < before) this.#gaveWay++;
  }

  #forgetIfEmpty(address: string, share: Share): void {
    const isNone = share.taken.size === 0 && share.standing === 0;
    if (isNone && this.#byAddress.get(address) === share) this.#byAddress.delete(address);
  }

  #say(): void {
    const { most, of, logger } = this.#options;
    const line = `xds: more ${of} come than there may be at once, of all or from one address: some are refused, or gave way to those of addresses that have fewer`;
    logger.warn(line, {
      ...{ most, refused: this.#refused, gaveWay: this.#gaveWay },
      addresses: this.#byAddress.size,
    });
    this.#saidAgo = 0;
    this.#refused = 0;
    this.#gaveWay = 0;
  }
}

function newShare(): Share {
  return { taken: new Set(), least: 0, standing: 0, staysFor: 0 };
}

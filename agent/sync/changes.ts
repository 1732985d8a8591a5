/** What of the local state the catalog has yet to hear. */

/** Of one service, or of the node's own checks. */
export interface Change {
  service: boolean;
  readonly checks: Set<string>;
}

/** By service; the node's own checks are under ''. */
export class Changes {
  #byService = new Map<string, Change>();

  get size(): number {
    return this.#byService.size;
  }

  get services(): Iterable<string> {
    return this.#byService.keys();
  }

  has(serviceId: string): boolean {
    return this.#byService.has(serviceId);
  }

  hasCheck(serviceId: string, checkId: string): boolean {
    return this.#byService.get(serviceId)?.checks.has(checkId) === true;
  }

  addService(serviceId: string): void {
    this.#of(serviceId).service = true;
  }

  addCheck(serviceId: string, checkId: string): void {
    this.#of(serviceId).checks.add(checkId);
  }

  /** Takes it out, to tell the catalog; what changes meanwhile is a change of its own. */
  take(serviceId: string): Change | undefined {
    const change = this.#byService.get(serviceId);
    this.#byService.delete(serviceId);
    return change;
  }

  takeAll(): ReadonlyMap<string, Change> {
    const all = this.#byService;
    this.#byService = new Map();
    return all;
  }

  /** The catalog has not heard it. */
  putBack(serviceId: string, { service, checks }: Change): void {
    if (service) this.addService(serviceId);
    for (const check of checks) this.addCheck(serviceId, check);
  }

  #of(serviceId: string): Change {
    let change = this.#byService.get(serviceId);
    if (change === undefined) {
      change = { service: false, checks: new Set() };
      this.#byService.set(serviceId, change);
    }
    return change;
  }
}

/** Requests that are on their way, each of which may end the turn. */
export class Sending {
  readonly #ended: () => void;
  readonly #sent = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(ended: () => void) {
    this.#ended = ended;
  }

  get size(): number {
    return this.#sent.size;
  }

  add(send: Promise<void>): void {
    const sent = send
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#sent.delete(sent);
        this.#ended();
      });
    this.#sent.add(sent);
  }

  async all(): Promise<void> {
    await Promise.all(this.#sent);
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** As Consul's: a shorter interval is raised to this, or checks would keep the machine busy. */
export const MIN_INTERVAL_MS = 1000;
export const DEFAULT_TIMEOUT_MS = 10_000;
/** What a probe may say around the output that it quotes. */
export const MAX_WORDS_BYTES = 2048;

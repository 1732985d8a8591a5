/** A line for each connection or request that is over. */

export interface AccessLine {
  readonly upstream: string;
  readonly from: string;
  /** '' where none took it. */
  readonly host: string;
  readonly tries: number;
  readonly ms: number;
  /** Bytes from the caller, and back to it. */
  readonly sent: number;
  readonly received: number;
  /** '' where it came to its end. */
  readonly fault: string;
  /** Of a request by HTTP. */
  readonly method?: string;
  readonly authority?: string;
  /** Without its query. */
  readonly path?: string;
  readonly status?: number;
}

/** As JSON, which has no line ends in it, whatever a name is. */
export function accessText(line: AccessLine, nowMs: number): string {
  return `${JSON.stringify({ time: new Date(nowMs).toISOString(), ...line })}\n`;
}

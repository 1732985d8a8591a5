import type { MemberRow } from '../commands.ts';

/** A member as the log has it. */
export interface KnownMember extends MemberRow {
  /** One of MEMBER_STATUS. */
  readonly Status: number;
  /** When it came to be so, by the log's clock. */
  readonly since: number;
}

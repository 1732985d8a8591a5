/** What may be written to the log of whom targets of notices were told about. */

/** What a service's instances come to; the words are its notices'. */
export type ServiceStatus = 'passing' | 'warning' | 'critical' | 'absent';

/**
 * A target of notices is about to be told of these services: from here on it may have been, whatever becomes
 * of its answer and of the server that tells it. `term` as in ExpireSessions.
 */
export interface NoticesBegun {
  readonly type: 'notices-begun';
  readonly term: number;
  readonly target: string;
  readonly services: readonly string[];
}

/** A target of notices has been told how these services are. `term` as in ExpireSessions. */
export interface NoticesTold {
  readonly type: 'notices-told';
  readonly term: number;
  readonly target: string;
  readonly told: readonly (readonly [service: string, status: ServiceStatus])[];
}

/** What a target was last told of a service; of one that it surely knows as absent there is none. */
export interface ToldRow {
  readonly Target: string;
  readonly Service: string;
  /** The last that it was told for sure. */
  readonly Status: ServiceStatus;
  /** It may have been told something else since. */
  readonly Doubt?: true;
}

export type NoticeCommand = NoticesBegun | NoticesTold;

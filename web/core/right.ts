/** What somebody may be asked about: of it alone, without the way in which it is asked. */
export interface Right {
  readonly Resource: string;
  /** `write-prefix`: to everything whose name begins so. */
  readonly Access: 'read' | 'list' | 'write' | 'write-prefix';
  /** The name of the thing; '' of what has none. */
  readonly Segment?: string;
}

/** What somebody may be asked about: of it alone, without the way in which it is asked. */
export interface Right {
  readonly Resource: string;
  /** `-prefix`: to everything whose name begins so; `-any`: to something, whatever it is called. */
  readonly Access: 'read' | 'list' | 'write' | 'read-prefix' | 'write-prefix' | 'write-any';
  /** The name of the thing; '' of what has none. */
  readonly Segment?: string;
}

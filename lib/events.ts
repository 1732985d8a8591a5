/** The event by which `exec` says that there is something to run: it is in no list of events. */
export const REMOTE_EXEC = '_rexec';

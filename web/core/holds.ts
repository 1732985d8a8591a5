/** Whether what was sent is in what stands there: what it did not say, the server has filled in. */
export function holds(there: unknown, sent: unknown): boolean {
  if (Array.isArray(sent)) {
    return (
      Array.isArray(there) &&
      there.length === sent.length &&
      sent.every((each, i) => holds(there[i], each))
    );
  }
  if (typeof sent !== 'object' || sent === null) return there === sent;
  if (typeof there !== 'object' || there === null) return false;
  const fields = new Map(Object.entries(there));
  return Object.entries(sent).every(([name, each]) => holds(fields.get(name), each));
}

/** Where two sides that heard the same bytes have made something else of them. */

interface Outcome {
  readonly connection: string;
  readonly told: ReadonlyMap<number, string>;
}

export function* compared(
  ours: Outcome,
  nodes: Outcome,
): Generator<readonly [what: string, our: string, node: string]> {
  if (ours.connection !== nodes.connection) {
    yield ['the connection', ours.connection, nodes.connection];
    return;
  }
  for (const id of new Set([...ours.told.keys(), ...nodes.told.keys()])) {
    const [our, node] = [ours.told.get(id) ?? 'nothing', nodes.told.get(id) ?? 'nothing'];
    if (our !== node) yield [`stream ${id}`, our, node];
  }
}

export function leftOf(connections: number, timers: number): readonly string[] {
  const left: string[] = [];
  if (connections > 0) left.push(`${connections} ends of connections are left`);
  if (timers > 0) left.push(`${timers} timers are left`);
  return left;
}

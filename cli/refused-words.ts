/** Commands of Consul's that are not here, and what there is in their place. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['license', 'there is no license to show: nothing here is kept from anybody'],
  ['namespace', "there are no namespaces, which are Consul Enterprise's"],
  ['operator area', "there are no areas, which are Consul Enterprise's"],
  ['operator audit', 'what the audit log says is in its files (docs/security.md)'],
  ['operator utilization', "it is Consul Enterprise's: see operator usage instances"],
  ['partition', "there are no partitions, which are Consul Enterprise's"],
  ['peering', 'clusters are not peered here; import-consul copies one into another'],
  ['resource', "resources are a later Consul's: see config"],
  ['troubleshoot', 'see intention check, debug, and what Envoy itself says at its admin'],
]);

/** One line about words that name no command; '' where nothing is known of them. */
export function refusalOf(words: readonly string[]): string {
  const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((each) => REFUSED.has(each));
  return name === undefined ? '' : `proconsul ${name} is not here: ${REFUSED.get(name)}.\n\n`;
}

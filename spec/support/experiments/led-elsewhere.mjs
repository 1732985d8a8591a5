// Imported into a process of an experiment: what it connects to at one of the ports that `?ports=FROM:TO,…` names, it
// connects to at another, where somebody stands in between. Programs that are told where servers are cannot be led so.
import { Socket } from 'node:net';

const said = new URL(import.meta.url).searchParams.get('ports') ?? '';
const ports = new Map(said.split(',').map((pair) => pair.split(':').map(Number)));
const { connect } = Socket.prototype;

// What was asked for stays as it is: by its port a connection is kept, and found again.
function led(first) {
  if (!Array.isArray(first)) return { ...first, port: ports.get(Number(first.port)) ?? first.port };
  const [options, ...rest] = first;
  const marks = Object.getOwnPropertySymbols(first).map((mark) => [mark, first[mark]]);
  return Object.assign([led(options), ...rest], Object.fromEntries(marks));
}

Socket.prototype.connect = function ledElsewhere(...args) {
  const [first, ...rest] = args;
  const all = typeof first === 'object' && first !== null ? [led(first), ...rest] : args;
  return Reflect.apply(connect, this, all);
};

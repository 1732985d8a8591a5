// A program that speaks gRPC, to be killed: `node backend.mjs NAME MS` prints its port, and answers with its name
// after so long. On SIGTERM it takes no more, and ends when its calls have.
import { Server, ServerCredentials } from '@grpc/grpc-js';

const [, , name, ms = '5'] = process.argv;
const asIs = (bytes) => bytes;
const say = {
  path: '/lab.Echo/Say',
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};
const server = new Server();
server.addService(
  { Say: say },
  { Say: (_, answer) => void setTimeout(() => answer(null, Buffer.from(name)), Number(ms)) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));

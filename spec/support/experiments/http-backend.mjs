// A program behind a proxy, to be killed: `node http-backend.mjs NAME MS` prints its port, and answers with its
// name after so long. On SIGTERM it takes no more, and ends when its requests have.
import { createServer } from 'node:http';

const [, , name, ms = '5'] = process.argv;
const server = createServer((request, response) => {
  request.resume();
  setTimeout(() => response.end(name), Number(ms));
});
// It closes no connection just when a proxy uses it again: such a call is lost, and nobody's fault that is tried.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));

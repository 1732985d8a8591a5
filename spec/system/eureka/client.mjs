/** npm's eureka-js-client: says every second in a line of JSON which applications it sees, and how many of each. */
import { createRequire } from 'node:module';

const { Eureka } = createRequire(`${process.cwd()}/`)('eureka-js-client');
const serviceUrls = process.argv.slice(2).map((url) => `${url}/eureka/apps/`);
const client = new Eureka({
  instance: {
    app: 'jsapp',
    instanceId: 'js-1',
    hostName: 'js-host',
    ipAddr: '127.0.0.1',
    port: { $: 3000, '@enabled': 'true' },
    vipAddress: 'jsapp',
    dataCenterInfo: {
      '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
      name: 'MyOwn',
    },
    leaseInfo: { renewalIntervalInSecs: 2, durationInSecs: 30 },
  },
  eureka: {
    serviceUrls: { default: serviceUrls },
    availabilityZones: { default: ['default'] },
    heartbeatInterval: 2000,
    registryFetchInterval: 1000,
    requestRetryDelay: 200,
    maxRetries: 10,
  },
  requestMiddleware: (options, done) => done({ ...options, timeout: 2000 }),
});
client.logger.level('error');
client.start();
setInterval(() => {
  const sees = Object.fromEntries(
    Object.entries(client.cache.app).map(([app, instances]) => [app, instances.length]),
  );
  process.stdout.write(`${JSON.stringify(sees)}\n`);
}, 1000);

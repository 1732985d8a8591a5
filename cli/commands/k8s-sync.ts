import { ApiServer } from '../../kubernetes/api/api-server.ts';
import { clusterAccess } from '../../kubernetes/api/cluster-access.ts';
import { KubernetesSync } from '../../kubernetes/sync.ts';
import { syncPages } from '../../kubernetes/sync-pages.ts';
import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { createLogger, isLogLevel } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { type Command, refuseArguments } from '../command.ts';
import { K8S_FLAGS, syncOptionsOf } from '../k8s-flags.ts';
import { catalogBy, turnLock } from '../k8s-ports.ts';
import { addressIn } from '../proxy-flags.ts';

/** By which other programs go to an API server. */
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY'];

export const command: Command = {
  synopsis: '[options]',
  details:
    'Brings the Services of a Kubernetes cluster to the catalog, with the readiness of their pods, and runs until ' +
    'it is told to end. Several may run: the one that holds the lock writes, and the next takes over when it dies. ' +
    'It speaks to a server. See docs/kubernetes.md.',
  examples: [
    '-http-addr=proconsul-server:8500',
    '-kubeconfig=kube.yaml -deny-k8s-namespace=kube-* -add-k8s-namespace-suffix',
  ],
  http: 'agent',
  flags: K8S_FLAGS,

  async run({ flags, args, host, client }) {
    refuseArguments(args);
    const level = flags.text('log-level') || 'info';
    if (!isLogLevel(level)) throw new ProconsulError('invalid', `Invalid log level: ${level}`);
    const options = syncOptionsOf(flags);
    // A wrong address or file is to be known at once.
    client(host.signal);
    const clock = systemClock;
    const api = new ApiServer(await clusterAccess(host.env, flags.text('kubeconfig')), clock);
    const { signal } = host;
    const { lockKey: key } = options;
    const logger = createLogger({ level, json: flags.isSet('log-json') });
    // A cluster behind one cannot be reached otherwise: whoever sets it is to know why.
    const proxy = PROXIES.find((name) => (host.env[name] ?? '') !== '');
    if (proxy !== undefined) logger.warn(`k8s: ${proxy} counts for nothing: no proxy is asked`);
    const sync = new KubernetesSync(
      {
        api,
        catalog: catalogBy(client, clock),
        clock,
        random: systemRandom,
        logger,
        lock: (rest) => turnLock({ client, clock, key, signal }, rest),
      },
      options,
    );
    const admin = flags.has('admin') ? addressIn('admin', flags.text('admin')) : undefined;
    const pages = admin && syncPages(admin, sync);
    try {
      await pages?.start();
      await sync.run(signal);
    } finally {
      pages?.stop();
      api.close();
    }
    return 0;
  },
};

/** The Consul whose behaviour this is, as clients that ask for a version are told. */
export const CONSUL_VERSION = '1.8.7';

/** Proconsul's own, as package.json has it. */
export const VERSION = '0.1.0';

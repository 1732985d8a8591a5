/** The Consul whose behaviour this is, as clients that ask for a version are told. */
export const CONSUL_VERSION = '1.8.7';

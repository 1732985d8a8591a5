/** Every limit of the DNS server, with its reason. */

/** What every resolver takes without EDNS, by RFC 1035. */
export const PLAIN_UDP_BYTES = 512;
/** What fits into a datagram. An answer is never larger than who asked says that it takes. */
export const MAX_UDP_BYTES = 65_507;
export const MAX_TCP_BYTES = 65_535;
/** Consul's own bound on dns_config.udp_answer_limit. */
export const MAX_UDP_ANSWERS = 8;

/** Answers that are kept, with all that they keep alive; what was asked for longest ago goes first. */
export const MAX_CACHED_BYTES = 64 * 1024 * 1024;
/** An answer, and each of its groups with the instance that it is made of. */
export const ANSWER_BYTES = 1024;
export const GROUP_BYTES = 1536;
/** Orders of one answer that take turns, and how often each is used before it is made anew. */
export const POOLED_PACKETS = 8;
export const PACKET_USES = 8;
/** Questions that are known by their bytes, each of which takes less than a KB with what it came to. */
export const KNOWN_QUESTIONS = 4096;
export const MAX_KNOWN_QUESTION_BYTES = 200;
/** Questions that wait for a catalog or a recursor at one time; beyond it they are SERVFAIL. */
export const MAX_PENDING = 2000;

/** Names followed in one answer: instances at outside addresses are few. */
export const MAX_FOLLOWED = 16;
/** From one name of ours to the next, and so on. */
export const MAX_FOLLOW_DEPTH = 3;
/** However long a recursor lets us keep it. */
export const MAX_FOLLOWED_MS = 30_000;

export const MAX_TCP_CONNECTIONS = 1000;
/** So that one client cannot take them all; a resolver for a whole network needs a few. */
export const MAX_TCP_CONNECTIONS_PER_ADDRESS = 200;
/** RFC 7766 wants seconds, not minutes. */
export const TCP_IDLE_MS = 10_000;
/** Answers of one connection that are being made; until then nothing more is read from it. */
export const MAX_PIPELINED = 100;

/**
 * Answers over UDP that are this much larger than their question are weighed, for the question's
 * address may be forged. The budget is of bytes to one network: a second of it is what an attacker
 * gets at most beyond the factor, and then only at a quarter of that a second.
 */
export const FREE_AMPLIFICATION = 4;
export const AMPLIFIED_BURST_BYTES = 1024 * 1024;
export const AMPLIFIED_BYTES_PER_S = 256 * 1024;
/** Networks whose budgets are remembered. */
export const MAX_WEIGHED_NETWORKS = 10_000;

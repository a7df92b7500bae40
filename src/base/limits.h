/*
 * limits: every bound of the daemon, with its reason. Nothing else in the tree has a cap of its
 * own.
 *
 * Times are in milliseconds (_MS) or seconds (_S), sizes in bytes.
 */
#ifndef SIPSD_BASE_LIMITS_H
#define SIPSD_BASE_LIMITS_H

/* --- accounts and connections --- */
#define LIMIT_ACCOUNTS 16 /* as many as the largest phone of the family has */
#define LIMIT_SERVERS  1  /* registrars, and outbound proxies, of an account */
#define LIMIT_HANDSHAKE_MS \
    10000 /* from TCP connected to TLS done; a slow ARM board needs under 1 s */
#define LIMIT_CONNECT_MS    8000 /* TCP connect: three SYN retransmissions */
#define LIMIT_DNS_MS        8000 /* one whole look-up */
#define LIMIT_DNS_ADDRESSES 16   /* addresses of one name that are tried */
#define LIMIT_CLOSE_MS      2000 /* for un-REGISTER and close_notify at shutdown */
#define LIMIT_RECONNECT_BASE_MS                                           \
    2000 /* first wait after a failure; RFC 5626 says 30 s for whole flow \
            sets, a phone's user looks at the icon */
#define LIMIT_RECONNECT_MAX_MS 1800000 /* RFC 5626 section 4.5: max-time 1800 s */
#define LIMIT_STABLE_MS \
    60000 /* a connection that was open for so long: the next failure is a first one again */
#define LIMIT_CONNECTION_OUT \
    131072 /* bytes that wait for a slow server: two of the largest messages */
#define LIMIT_CONNECTION_TURN \
    32 /* messages of one peer in one turn of the loop: none starves others */

#define LIMIT_CARRIER_OUT \
    65536 /* of LIMIT_CONNECTION_OUT for the phone's messages; the rest is for our own */
#define LIMIT_CARRIER_RETRY_S 5 /* Retry-After of a request that the phone side had no room for */
#define LIMIT_DRAIN_S \
    3600 /* a connection that has to be replaced waits so long for its calls to end */

#define LIMIT_ACCEPT_BACKLOG  32   /* connections that the kernel holds for us */
#define LIMIT_ACCEPT_TURN     8    /* accepted before other events have their turn */
#define LIMIT_ACCEPT_RETRY_MS 1000 /* pause without descriptors or memory to accept with */
#define LIMIT_TCP_IDLE_S      120 /* first keep-alive probe of a connection on which nothing is sent */
#define LIMIT_TCP_PROBE_S     15 /* between probes that nobody answers */
#define LIMIT_TCP_UNANSWERED_MS \
    45000 /* data or probes unacknowledged for so long: the peer is gone */

/* --- SIP stacks on the phone --- */
#define LIMIT_DOOR_CONNECTIONS \
    16 /* of one account's local port: a stack has one, and makes another before it drops that */
#define LIMIT_DOOR_BACKLOG    262144 /* bytes that wait for a stack: four of the largest messages */
#define LIMIT_DOOR_CONNECT_MS 2000   /* to a stack on the same machine */
#define LIMIT_DOOR_FIRST_MS   10000  /* for a stack to say something after it has connected */
#define LIMIT_DOOR_STUCK_MS   10000  /* for it to read what waits for it */
#define LIMIT_DOOR_IDLE_MS                                                                       \
    7200000 /* without a word or a call; it says something when it registers, once an hour or so \
             */
#define LIMIT_DOOR_CALLS 256 /* of one account that are remembered: more than any phone makes */
#define LIMIT_DOOR_RING_MS \
    300000 /* an INVITE without a final answer: RFC 3261 section 16.6 gives it three minutes */
#define LIMIT_DOOR_CALL_MS 43200000 /* a call in which nothing was said so long is over */
#define LIMIT_DOOR_GONE_MS 300000   /* the same where its stack's connection is gone */

/* --- connections that others make to the phone --- */
#define LIMIT_INBOUND            32 /* handshakes included; each takes about 60 KB */
#define LIMIT_INBOUND_HANDSHAKES 8  /* at once: in one turn of the loop, so many keys are used */
#define LIMIT_INBOUND_SOURCE     4  /* from one IPv4 address, or one /64 of IPv6 */
#define LIMIT_INBOUND_PATIENCE_MS \
    1000 /* a handshake that takes longer makes room where all places are taken */
#define LIMIT_INBOUND_FIRST_MS \
    32000 /* from the handshake to the first request: who has none to send has no use for us */
#define LIMIT_INBOUND_IDLE_MS                                                                   \
    900000 /* without a message or a keep-alive, which come every 840 s at the latest (RFC 5626 \
              section 4.4.1) */
#define LIMIT_INBOUND_TALLY_MS 60000 /* what was refused is logged at most so often, summed up */
#define LIMIT_INBOUND_TOLD     10    /* refused certificates that are told as events meanwhile */
#define LIMIT_INBOUND_STRANGERS                                                            \
    20 /* the same for callers without a certificate: anybody can be one, and a UI has its \
          accounts to look after */
#define LIMIT_LISTEN_RETRY_MS 30000 /* until a port that was taken is tried again */
#define LIMIT_FINISHING \
    32 /* accepted connections that end but wait for their peers; more are cut off */

/* --- TLS --- */
#define LIMIT_PEER_CERTS                                                   \
    16 /* different certificates of a peer that are looked at; real chains \
          have up to 5, bridges between several PKIs up to 12 */
#define LIMIT_PEERCHAIN_BYTES \
    65536 /* of a peer's certificates kept beyond their connection; real ones have 3000 to 8000 */
#define LIMIT_OWN_CERTS  10    /* certificates in the file of one of the phone's own */
#define LIMIT_CERT_BYTES 65536 /* one certificate's DER */
#define LIMIT_PATH_DEPTH 8     /* certificates of a path, leaf and anchor included */
#define LIMIT_SIGNATURE_CHECKS                                                                  \
    100 /* for one judgement: bounds the work that a hostile list can ask for; one with a large \
           key counts as several */
#define LIMIT_PATH_STEPS       5000   /* issuers tried in one judgement, for the same reason */
#define LIMIT_POLICIES         64     /* in one certificate; bridges between PKIs map up to 40 */
#define LIMIT_NAME_COMPARISONS 100000 /* of names with name constraints, likewise */
#define LIMIT_PATH_ANCHORS \
    16 /* anchors looked at in one judgement: all custom ones, and a few built in */
#define LIMIT_TICKETS       32     /* client session tickets kept: two a flow of 16 accounts */
#define LIMIT_TICKETS_FLOW  2      /* servers send two at once; each resumes one connection */
#define LIMIT_TICKET_BYTES  4096   /* one, with its secrets: it must fit into a ClientHello */
#define LIMIT_TICKET_AGE_S  86400  /* a judgement is resumed for a day, then made afresh */
#define LIMIT_TLS_PLAINTEXT 16384  /* RFC 8446 section 5.1 */
#define LIMIT_TLS_UNREAD    262144 /* decrypted bytes that nobody has read yet: a few socket reads */
#define LIMIT_TLS_KEY_RECORDS                                                                    \
    (1 << 24) /* sent with one key of TLS 1.3: AES-GCM is good for 2^24.5 (RFC 8446 section 5.5) \
               */
#define LIMIT_TLS_CONTROL_OUT \
    16384 /* beside LIMIT_CONNECTION_OUT, for handshake, key updates and alerts */

/* --- trust and identity files --- */
#define LIMIT_CUSTOM_CAS      10
#define LIMIT_CERT_FILE_BYTES (5 * 1024 * 1024)
#define LIMIT_KEY_ITERATIONS \
    20000 /* PBKDF2 of an encrypted key: below a second on a slow phone, in which calls wait */
#define LIMIT_TOOL_KEY_ITERATIONS 4000000 /* the same for a tool on a PC: a few seconds */
#define LIMIT_OWN_RSA_BITS \
    4096 /* of the phone's own key: a handshake with a larger one blocks a phone for seconds */
#define LIMIT_REJECTED        16 /* refused chains that are kept: one for each account at least */
#define LIMIT_REJECTED_BYTES  16384 /* of such a chain; real ones have 3000 to 8000 */
#define LIMIT_REJECTED_TRIALS 4     /* certificates of it that are tried as trusted, at a request */
#define LIMIT_EXPIRY_OWN      3     /* identities whose end is watched: all that a phone can have */
#define LIMIT_EXPIRY                                                   \
    192 /* certificates whose end is watched: all of 16 live paths, 10 \
           custom ones, and those identities' chains */
#define LIMIT_IMPORT_COUNTED                                                               \
    256 /* different certificates of one upload that are told apart: to say by how many it \
           is too large */

/* --- generations of files on flash --- */
#define LIMIT_GENERATION_FILES 32 /* ten uploads, an identity, settings, and room */
#define LIMIT_GENERATION_BYTES LIMIT_CERT_FILE_BYTES /* of one file */
#define LIMIT_GENERATION_NAME  100 /* bytes: with number and suffix it must fit into NAME_MAX */
#define LIMIT_DAMAGED_FILES    8   /* kept for inspection */
#define LIMIT_COMPLAINTS       16  /* about files with certificates, kept to be asked for */

/* --- SIP --- */
#define LIMIT_SIP_MESSAGE      65535 /* RFC 3261 section 18.1.1: what a UDP packet could carry */
#define LIMIT_SIP_HEADER_BYTES 32768 /* start line and headers; the rest may be body */
#define LIMIT_SIP_HEADERS      128   /* header fields of one message */
#define LIMIT_SIP_PARTS \
    1024 /* elements and parameters of one message: osip's time grows with their square */
#define LIMIT_SIP_TIMER_F_MS 32000 /* RFC 3261 section 17.1.2.2: 64 * T1 */
#define LIMIT_SIP_ARRIVAL_MS \
    32000 /* from a message's first byte to its last: its sender has given up by then */
#define LIMIT_REGISTER_MIN_S \
    5 /* shortest refresh, whatever the server grants; some grant 15 s to keep a NAT open */
#define LIMIT_EXPIRES_MIN_S  30 /* that may be asked for: all phones at one registrar refresh */
#define LIMIT_REGISTER_MAX_S 86400
#define LIMIT_AUTH_ROUNDS    3 /* challenges answered in a row for one request */
#define LIMIT_REGISTER_RETRY_MS \
    30000 /* first wait after a refusal; doubles up to LIMIT_RECONNECT_MAX_MS */
#define LIMIT_AUTH_RETRY_MS \
    300000 /* the same where the account itself was refused: servers lock out who guesses */
#define LIMIT_RETRY_AFTER_S 3600 /* longest Retry-After that is honoured */

/* --- settings --- */
#define LIMIT_SETTINGS_BYTES (256 * 1024) /* one settings file */
#define LIMIT_SETTINGS_LINE                                                                       \
    32768 /* a data: URL with an identity, Base64 of PEM: a key of 4096 bits and a chain of three \
             take 14000 */
#define LIMIT_SETTINGS_COMPLAINTS \
    50 /* of a kind, for one file: a wrong file shall not fill the log */

#define LIMIT_SETTINGS_ASKED 64 /* keys in one request; "account.1.*" is one */
#define LIMIT_COMMANDS \
    32 /* of one run of provisioning: all custom certificates deleted and added one by one */

/* --- provisioning --- */
#define LIMIT_PROVISION_REPEAT_MIN 43200 /* longest period of fetches: a month */
#define LIMIT_PROVISION_SPREAD_S   3600  /* longest wait at random before one */
#define LIMIT_PROVISION_FILES      8 /* settings files in one push: common, models, sites, the phone */
#define LIMIT_PROVISION_QUEUE      8 /* runs that wait for the one that is under way */
#define LIMIT_PROVISION_WAITING    (4 * 1024 * 1024) /* bytes of files that wait with them */
#define LIMIT_PROVISION_ATTEMPTS \
    3 /* of a run whose ground was changed by somebody else meanwhile */
#define LIMIT_PROVISION_MS \
    900000 /* to gather all files of a run; others wait for it, and it is asked again later */
#define LIMIT_PROVISION_RECORDS 40 /* files told of in a report: 8, and one for each command */
#define LIMIT_PROVISION_ITEMS \
    64 /* things told of in a report: with all the rest they fit into LIMIT_RPC_BACKLOG */
#define LIMIT_PROVISION_NAMES 64    /* settings told of as changed, for the same reason */
#define LIMIT_PROVISION_NAME  100   /* bytes of a name in a report, with its NUL */
#define LIMIT_TRIAL_MIN_S     10    /* accounts need a few seconds to come back */
#define LIMIT_TRIAL_MAX_S     3600  /* all other changes wait meanwhile */
#define LIMIT_TRIAL_RETRY_MS  30000 /* until a trial that could not be ended is ended */

/* --- when settings are fetched --- */
#define LIMIT_FETCH_RETRY_BASE_MS 30000 /* first wait after a fetch by itself that failed */
#define LIMIT_FETCH_RETRY_MAX_MS                                     \
    3600000 /* a server that is down for a day is asked once an hour \
             */
#define LIMIT_CHECK_SYNC_MS \
    10000 /* between two fetches that a SIP server asked for: a flood of NOTIFYs makes no more */
#define LIMIT_REPORT_TRIES         4      /* to send one report; then it is only in the log */
#define LIMIT_REPORT_RETRY_BASE_MS 10000  /* first wait between them */
#define LIMIT_REPORT_RETRY_MAX_MS  600000 /* also of what the server asks for by Retry-After */
#define LIMIT_REPORT_ANSWER_BYTES  65536  /* nobody reads what the server says to a report */

/* --- fetching over HTTP --- */
#define LIMIT_URL              2048 /* one of https or http: what is longer is none that a person wrote */
#define LIMIT_FETCH_BYTES      (5 * 1024 * 1024) /* one file: as large as a certificate's may be */
#define LIMIT_FETCH_REDIRECTS  3
#define LIMIT_FETCH_CHANNELS   4 /* connections for one URL; authentication may need a second */
#define LIMIT_FETCH_MS         300000 /* one fetch with all its redirects */
#define LIMIT_FETCH_SLOW_MS    30000  /* a server that sends less than LIMIT_FETCH_SLOW_BYTES ... */
#define LIMIT_FETCH_SLOW_BYTES 3000   /* ... in this time is given up: 100 bytes a second */

/* --- sockets of the phone's own processes --- */
#define LIMIT_RPC_CLIENTS  16    /* a socket */
#define LIMIT_RPC_REQUEST  65536 /* one line from a client */
#define LIMIT_RPC_BATCH    8 /* requests in one line: they are answered in one turn of the loop */
#define LIMIT_RPC_BACKLOG  65536 /* bytes that wait for a slow client, then it gets a snapshot */
#define LIMIT_RPC_RETRY_MS 1000  /* until that snapshot is tried again, where memory was short */
#define LIMIT_RPC_REPLY    (1024 * 1024) /* trust.list with certificates as PEM is the largest */
#define LIMIT_JSON_DEPTH   32
#define LIMIT_RELAY_BACKLOG \
    262144 /* bytes that wait for call-control: four of the largest messages */
#define LIMIT_RELAY_HELLO_MS 5000  /* for call-control to say who it is, before it is sent away */
#define LIMIT_STAGING_MS     60000 /* between the pieces of an uploaded file: it holds its memory */
#define LIMIT_TEXT           256   /* names and sentences in events */
#define LIMIT_TRACE          16384 /* of a SIP message that is shown: headers, then body */
#define LIMIT_REPORT_TEXT    1024  /* any one text in an event, say a certificate's whole subject */

/* --- the maker's factory, a tool for PCs --- */
#define LIMIT_MAC_LIST_BYTES (4 * 1024 * 1024) /* a list of MAC addresses: over 200,000 phones */
#define LIMIT_FACTORY_BATCH \
    32 /* identities in memory at once; their record is written and synced before they are */
#define LIMIT_FACTORY_YEARS \
    100 /* that may be asked for; more is a slip of the finger, or "never" */
#define LIMIT_PASSWORD_BYTES 1024 /* a file with a password */

/* --- housekeeping --- */
#define LIMIT_CLOCK_SAVE_S 3600 /* how often the last known good time is written: flash wears */
#define LIMIT_RECHECK_S \
    3600 /* longest sleep until a time of day: the clock may drift or be slewed meanwhile */
#define LIMIT_CLOCK_CHECK_S \
    300 /* how often an unsynchronised clock is looked at: the kernel does not tell */

#endif

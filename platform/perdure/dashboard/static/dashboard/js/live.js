/**
 * The line to a run: a WebSocket, server-sent events where sockets are blocked, and where these are blocked too, asking
 * again and again. It comes back by itself and asks for what follows the last event that the page holds, so that
 * nothing is missed and nothing is shown twice.
 */

const DELAYS = [200, 500, 1000, 2000, 4000, 8000];
const SILENCE = 25_000;
/** So long a connection may take to open, and the server to answer on it. */
const ANSWER = 10_000;
/** Server-sent events that stay so long are not blocked, also where nothing has happened. */
const STEADY = 5000;
const POLL = 2000;
/** So long it asks before it tries the socket once more, and where one was answered before. */
const PROBE = 60_000;
const PROBE_SOON = 5000;
/** Close codes after which asking again gives the same answer. */
const FINAL = { 4401: "signed-out", 4403: "gone", 4404: "gone", 4400: "refused" };

export class Line {
  /**
   * `transport` is "socket", "events" or "poll".
   * @param {{socketUrl: string, eventsUrl?: string, eventTypes?: string[], after?: () => number,
   *   streams?: () => string[], onEvent: (event: object) => void,
   *   onState: (state: "open"|"lost"|"ended"|"signed-out"|"gone"|"refused", transport: string) => void}} options
   *   `after` gives the last sequence held, `streams` what to ask for besides when asking again and again, as the
   *   events page wants it; `onEvent` may call `stop()` or `restart()`
   */
  constructor(options) {
    this.options = options;
    this.failures = 0;
    this.closed = false;
    this.blocked = 0;
    this.socketWorks = false;
    this.eventsWork = false;
    this.eventsBlocked = false;
    this.isProbe = false;
    window.addEventListener("online", () => this.#tryAll());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#retryNow());
    window.addEventListener("pagehide", () => this.#drop());
    window.addEventListener("pageshow", (event) => event.persisted && this.restart());
  }

  start() {
    this.#open();
    return this;
  }

  /** The run has ended: no more is to come. */
  stop(state = "ended") {
    if (this.closed) return;
    this.closed = true;
    this.#drop();
    this.options.onState(state, this.transport);
  }

  /** Ask anew from the last event held. */
  restart() {
    if (this.closed) return;
    this.#drop();
    this.#open();
  }

  /** What one network blocks another may let through. */
  #tryAll() {
    this.blocked = 0;
    this.socketWorks = this.eventsWork = this.eventsBlocked = false;
    this.restart();
  }

  #open() {
    this.transport = this.#choose();
    if (this.transport === "poll") this.#startPolling();
    else if (this.transport === "events") this.#openEvents();
    else this.#openSocket();
  }

  #choose() {
    if (!this.options.eventsUrl || this.blocked < 2) return "socket";
    // Where a socket was once answered its server is away, or something blocks it now: asking tells which.
    if (this.eventsBlocked || this.socketWorks) return "poll";
    return this.blocked % 2 === 0 ? "events" : "socket";
  }

  #url(base, scheme) {
    const url = new URL(base, location.href);
    if (scheme) url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.options.after) url.searchParams.set("after", String(this.options.after()));
    return url.href;
  }

  #openSocket() {
    let socket;
    try {
      socket = new WebSocket(this.#url(this.options.socketUrl, true));
    } catch {
      this.blocked += 1;
      this.#lose();
      return;
    }
    // Between here and the server one may take a socket and let nothing through: it is open when the server answers.
    let answered = false;
    this.socket = socket;
    const close = (code) => {
      if (this.socket !== socket) return;
      if (!answered) this.blocked += 1;
      if (code in FINAL) this.stop(FINAL[code]);
      else this.#lose();
    };
    this.silence = setTimeout(close, ANSWER);
    socket.onopen = () => socket.send('{"type":"ping"}');
    socket.onmessage = (message) => {
      if (this.socket !== socket) return;
      if (!answered) this.#opened();
      answered = true;
      this.#listenForSilence(socket);
      this.#take(message.data);
    };
    socket.onclose = (event) => close(event.code);
  }

  #openEvents() {
    let source;
    try {
      source = new EventSource(this.#url(this.options.eventsUrl));
    } catch {
      this.eventsBlocked = true;
      this.#lose();
      return;
    }
    this.source = source;
    let openedAt = Infinity;
    source.onopen = () => {
      if (this.source !== source) return;
      clearTimeout(this.silence);
      openedAt = Date.now();
      this.#opened();
    };
    source.onerror = () => {
      if (this.source !== source) return;
      // Its own reconnect would ask from where this connection began; ours asks from where the page is.
      this.blocked += 1;
      this.eventsWork ||= Date.now() - openedAt > STEADY;
      this.eventsBlocked = !this.eventsWork;
      this.#lose();
    };
    this.silence = setTimeout(source.onerror, ANSWER);
    for (const type of this.options.eventTypes) {
      source.addEventListener(type, (message) => {
        if (this.source !== source) return;
        this.eventsWork = true;
        this.#take(message.data);
      });
    }
  }

  #startPolling() {
    const asking = new AbortController();
    this.asking = asking;
    this.probeAt = Date.now() + (this.socketWorks ? PROBE_SOON : PROBE);
    this.#ask(asking, false);
  }

  #pollUrl() {
    const url = new URL(this.#url(this.options.eventsUrl));
    url.searchParams.set("limit", "1000");
    for (const held of this.options.streams?.() ?? []) url.searchParams.append("stream", held);
    return url.href;
  }

  /** One page of recorded events with what streams, and the next after a pause, or at once where there is more. */
  async #ask(asking, told) {
    let answer;
    let body;
    try {
      answer = await fetch(this.#pollUrl(), { headers: { Accept: "application/json" }, signal: asking.signal });
      if (answer.status >= 500) throw new Error(answer.statusText);
      body = await answer.json();
    } catch {
      if (this.asking !== asking) return;
      // Nothing is blocked then: the server is away.
      this.blocked = 0;
      this.eventsBlocked = false;
      this.#lose();
      return;
    }
    if (this.asking !== asking) return;
    if (answer.status === 401 || answer.status === 403) return this.stop("signed-out");
    if (answer.status === 404) return this.stop("gone");
    if (!answer.ok) return this.stop("refused");
    if (!told) this.#opened();
    for (const event of [...body.results, ...(body.frames ?? [])]) {
      if (this.asking !== asking) return;
      this.options.onEvent(event);
    }
    const isMore = body.next || body.more_frames;
    if (this.asking === asking) this.timer = setTimeout(() => this.#askAgain(asking), isMore ? 0 : POLL);
  }

  #askAgain(asking) {
    if (Date.now() < this.probeAt) return this.#ask(asking, true);
    this.#drop();
    this.isProbe = true;
    this.blocked = 1;
    this.#open();
  }

  #opened() {
    this.failures = 0;
    this.isProbe = false;
    if (this.transport === "socket") {
      this.socketWorks = true;
      this.blocked = 0;
    }
    this.options.onState("open", this.transport);
  }

  #take(text) {
    const event = JSON.parse(text);
    if (event.type !== "pong") this.options.onEvent(event);
  }

  /** A line that died without a word (sleep, a changed network) is found by asking. */
  #listenForSilence(socket) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      if (this.socket !== socket) return;
      socket.send('{"type":"ping"}');
      this.silence = setTimeout(() => this.socket === socket && this.restart(), ANSWER);
    }, SILENCE);
  }

  #lose() {
    if (this.closed) return;
    this.#drop();
    if (this.isProbe) {
      this.isProbe = this.socketWorks = false;
      this.#open();
      return;
    }
    this.options.onState("lost", this.transport);
    const delay = DELAYS[Math.min(this.failures, DELAYS.length - 1)];
    this.failures += 1;
    // Spread: a restarted server must not meet every open page at the same moment.
    this.timer = setTimeout(() => this.#open(), delay * (0.75 + Math.random() / 2));
  }

  #retryNow() {
    if (this.closed || this.socket || this.source || this.asking) return;
    clearTimeout(this.timer);
    this.#open();
  }

  #drop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    const { socket, source, asking } = this;
    this.socket = this.source = this.asking = null;
    if (asking) asking.abort();
    if (socket) socket.close();
    if (source) source.close();
  }
}

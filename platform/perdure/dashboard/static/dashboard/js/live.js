/**
 * The line to a run: a WebSocket, server-sent events where sockets are blocked, and where these are blocked too, asking
 * again and again. It comes back by itself and asks for what follows the last event that the page holds, so that
 * nothing is missed and nothing is shown twice.
 */

const DELAYS = [200, 500, 1000, 2000, 4000, 8000];
const SILENCE = 25_000;
const ANSWER = 10_000;
const POLL = 2000;
/** So long it asks before it tries the socket once more. */
const PROBE = 60_000;
/** Close codes after which asking again gives the same answer. */
const FINAL = { 4401: "signed-out", 4403: "gone", 4404: "gone", 4400: "refused" };

export class Line {
  /**
   * `transport` is "socket", "events" or "poll"; polled, a line has recorded events only, no frames of streams.
   * @param {{socketUrl: string, eventsUrl?: string, eventTypes?: string[], after?: () => number,
   *   onEvent: (event: object) => void,
   *   onState: (state: "open"|"lost"|"ended"|"signed-out"|"gone"|"refused", transport: string) => void}} options
   *   `after` gives the last sequence held; `onEvent` may call `stop()` or `restart()`
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
    window.addEventListener("online", () => this.restart());
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

  #open() {
    this.transport = this.#choose();
    if (this.transport === "poll") this.#startPolling();
    else if (this.transport === "events") this.#openEvents();
    else this.#openSocket();
  }

  #choose() {
    // A socket that once opened here is not blocked: its server is away.
    if (!this.options.eventsUrl || this.socketWorks || this.blocked < 2) return "socket";
    if (this.eventsBlocked) return "poll";
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
    let opened = false;
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#opened();
      this.#listenForSilence(socket);
    };
    socket.onmessage = (message) => {
      if (this.socket !== socket) return;
      this.#listenForSilence(socket);
      this.#take(message.data);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (!opened) this.blocked += 1;
      if (event.code in FINAL) this.stop(FINAL[event.code]);
      else this.#lose();
    };
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
    source.onopen = () => {
      this.eventsWork = true;
      this.#opened();
    };
    source.onerror = () => {
      if (this.source !== source) return;
      // Its own reconnect would ask from where this connection began; ours asks from where the page is.
      this.#drop();
      this.blocked += 1;
      this.eventsBlocked = !this.eventsWork;
      this.#lose();
    };
    for (const type of this.options.eventTypes) source.addEventListener(type, (message) => this.source === source && this.#take(message.data));
  }

  #startPolling() {
    const asking = new AbortController();
    this.asking = asking;
    this.probeAt = Date.now() + PROBE;
    this.#ask(asking, false);
  }

  /** One page of recorded events, and the next one after a pause, or at once where there is more. */
  async #ask(asking, told) {
    let answer;
    let body;
    try {
      answer = await fetch(`${this.#url(this.options.eventsUrl)}&limit=1000`, { headers: { Accept: "application/json" }, signal: asking.signal });
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
    for (const event of body.results) {
      if (this.asking !== asking) return;
      this.options.onEvent(event);
    }
    if (this.asking === asking) this.timer = setTimeout(() => this.#askAgain(asking), body.next ? 0 : POLL);
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
    if (this.transport === "socket") this.socketWorks = true;
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
      this.isProbe = false;
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

// Browsers start no worker for a page that is opened from a folder. Search needs one, so there its
// script runs in a hidden frame, behind the same interface. On a server, nothing is changed.
if (location.protocol === "file:") {
  window.Worker = class {
    onmessage = null
    onerror = null
    #frame = document.createElement("iframe")
    #waiting = []
    #isReady = false

    constructor(address) {
      this.#frame.hidden = true
      document.body.appendChild(this.#frame)
      const inside = this.#frame.contentWindow
      // What the script posts is for the page, not for its own frame. As from a worker, it arrives
      // as a copy and later: an answer within the question would be a circle.
      inside.postMessage = (data) => {
        const copy = structuredClone(data)
        setTimeout(() => this.onmessage?.(new MessageEvent("message", { data: copy })))
      }
      const script = inside.document.createElement("script")
      script.src = address
      script.onload = () => {
        this.#isReady = true
        this.#waiting.splice(0).forEach((data) => this.postMessage(data))
      }
      script.onerror = (error) => this.onerror?.(error)
      inside.document.body.appendChild(script)
    }

    postMessage(data) {
      const copy = this.#frame.contentWindow.structuredClone(data)
      if (this.#isReady)
        this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: copy }))
      else this.#waiting.push(copy)
    }

    terminate() {
      this.#frame.remove()
    }
  }
}

// On Locust's own page: the way to /chaos, and the token with every request to this server. What Locust's page asks
// for is asked by fetch or XMLHttpRequest, so both get it here, once.
"use strict";
(() => {
  const token = document.querySelector('meta[name="logquake-token"]').content;
  const own = (url) => new URL(url, location.href).origin === location.origin;

  const plainFetch = window.fetch;
  window.fetch = (resource, options) => {
    const request = new Request(resource, options);
    if (own(request.url)) request.headers.set("X-Logquake-Token", token);
    return plainFetch(request);
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...rest);
    if (own(url)) this.setRequestHeader("X-Logquake-Token", token);
  };

  // Locust draws its tabs when it has its first numbers, and draws them anew at times: the tab is put back then.
  const tab = document.createElement("a");
  tab.href = "/chaos";
  tab.id = "logquake-tab";
  tab.textContent = "Chaos";
  tab.style.color = "#c33d0a";
  const place = () => {
    const tabs = document.querySelector('[role="tablist"]');
    if (!tabs || tab.parentElement === tabs) return;
    const other = tabs.querySelector('[role="tab"]:not([aria-selected="true"])');
    if (other) tab.className = other.className;
    tabs.append(tab);
  };
  addEventListener("DOMContentLoaded", () => new MutationObserver(place).observe(document.body, { childList: true, subtree: true }));
})();

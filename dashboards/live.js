
// Only what `tachograph serve` serves has this: asks now and then whether the site was drawn again, and loads the page anew.
{
  let first = null;
  window.tachographStamp = (stamp) => {
    if (first === null) first = stamp;
    else if (first !== stamp) location.reload();
  };
  const base = document.querySelector("script[src$='site.js']").src;
  const ask = () => {
    if (document.visibilityState === "hidden") return;
    const script = document.createElement("script");
    script.src = new URL("live.js?" + Date.now(), base);
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => script.remove());
    document.head.append(script);
  };
  setInterval(ask, 2000);
  ask();
}

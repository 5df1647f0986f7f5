#!/usr/bin/python3
"""An RTSP player for tests: GStreamer's rtspsrc. Writes a JSON object a line for each unit it gets, as it gets it.

  gst-rtsp-player.py URL tcp|udp h264|h265 COUNT [USER PASSWORD]

Ends by itself after COUNT pictures. `sha256` of pictures is over (4-byte length + NAL unit) for each NAL unit but
parameter sets and delimiters, which the depayloader puts where it likes; of sound over the bare frame.
"""
import ctypes
import hashlib
import json
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

PR_SET_PDEATHSIG = 1
LEFT_OUT = {"h264": lambda first: first & 0x1F in (7, 8, 9), "h265": lambda first: first >> 1 & 0x3F in (32, 33, 34, 35)}


def digest(data, codec):
    digest = hashlib.sha256()
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if not LEFT_OUT[codec](data[at + 4]):
            digest.update(data[at:end])
        at = end
    return digest.hexdigest()


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    url, protocols, codec, count, *login = sys.argv[1:]
    Gst.init(None)
    caps = {"h264": "video/x-h264,stream-format=avc", "h265": "video/x-h265,stream-format=hvc1"}[codec]
    pipeline = Gst.parse_launch(
        f"rtspsrc name=source protocols={protocols} latency=200 buffer-mode=none "
        f"source. ! application/x-rtp,media=video ! rtp{codec}depay ! {caps},alignment=au ! fakesink name=video "
        "source. ! application/x-rtp,media=audio ! rtpmp4gdepay ! fakesink name=audio"
    )
    source = pipeline.get_by_name("source")
    source.set_property("location", url)
    if login:
        source.set_property("user-id", login[0])
        source.set_property("user-pw", login[1])
    loop = GLib.MainLoop()
    seen = {"video": 0, "audio": 0}
    lock = threading.Lock()

    def handoff(_sink, buffer, _pad, kind):
        data = buffer.extract_dup(0, buffer.get_size())
        sha256 = digest(data, codec) if kind == "video" else hashlib.sha256(data).hexdigest()
        seen[kind] += 1
        line = json.dumps({"kind": kind, "ptsUs": buffer.pts / 1000, "sha256": sha256})
        with lock:  # pictures and sound come in threads of their own
            sys.stdout.write(line + "\n")
        if seen["video"] >= int(count):
            loop.quit()

    def message(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            error, detail = message.parse_error()
            print(error.message, detail, file=sys.stderr)
            sys.stdout.flush()
            pipeline.set_state(Gst.State.NULL)
            sys.exit(1)
        if message.type == Gst.MessageType.EOS:
            loop.quit()

    for kind in seen:
        sink = pipeline.get_by_name(kind)
        sink.set_property("signal-handoffs", True)
        sink.set_property("sync", False)
        sink.set_property("async", False)
        sink.connect("handoff", handoff, kind)
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", message)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)


main()

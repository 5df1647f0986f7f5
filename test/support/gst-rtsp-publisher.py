#!/usr/bin/python3
"""An RTSP publisher for tests: GStreamer's rtspclientsink with a test picture and a test tone, until it is killed.

  gst-rtsp-publisher.py URL tcp|udp
"""
import ctypes
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

PR_SET_PDEATHSIG = 1


def main():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    url, protocols = sys.argv[1:]
    Gst.init(None)
    pipeline = Gst.parse_launch(
        f"rtspclientsink name=sink location={url} protocols={protocols} "
        "videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=25/1"
        " ! x264enc speed-preset=ultrafast tune=zerolatency key-int-max=25 ! sink. "
        "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! sink."
    )
    loop = GLib.MainLoop()
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message::error", lambda _, message: sys.exit(str(message.parse_error())))
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()


main()

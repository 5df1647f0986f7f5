"""GStreamer as an RTMP publisher by librtmp: gst-rtmp-sender.py FILE.flv URL. Sends the file in real time, as it is."""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

TIMEOUT_S = 30

Gst.init(None)
pipeline = Gst.parse_launch(
    "filesrc name=file ! flvdemux name=demux"
    " demux.video ! queue ! h264parse ! video/x-h264,stream-format=avc ! mux.video"
    " demux.audio ! queue ! aacparse ! mux.audio"
    " flvmux name=mux streamable=true ! rtmpsink name=sink sync=true"
)
pipeline.get_by_name("file").set_property("location", sys.argv[1])
pipeline.get_by_name("sink").set_property("location", sys.argv[2] + " live=1")
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(
    TIMEOUT_S * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
)
pipeline.set_state(Gst.State.NULL)
if message is None or message.type == Gst.MessageType.ERROR:
    sys.exit("timed out" if message is None else str(message.parse_error()))

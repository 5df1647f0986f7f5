#!/usr/bin/python3
"""An RTSP camera for tests: GStreamer's RTSP server with a test picture and a test tone.

`READY <port>` on standard output says that it listens. SIGTERM ends it: sessions are closed, the
media is unprepared. It dies with the process that started it.

With --dump FILE every access unit and every audio frame that is sent goes into FILE, one JSON object
a line. The probes sit BEHIND the RTP payloaders and put the units together again from the RTP
packets, so that a line tells what was sent, whatever the payloader adds or leaves out:
  video  SHA-256 over (4-byte big-endian length + NAL unit) for each NAL unit, in the order sent;
         that is the AVCC form. x264enc writes SPS and PPS before each IDR picture and, as set here,
         no access unit delimiters; rtph264pay (config-interval=0, aggregate-mode=none) adds nothing,
         and sends single NAL units and FU-A (RFC 6184 5.6, 5.8).
  audio  SHA-256 over the bare AAC frame (RFC 3640 3.3.6, AAC-hbr, one frame or a piece of one).
The very first packet of a stream, with which the server prerolls, reaches no client (seen with 1.22:
it is a second copy of the SPS, and the AAC encoder's priming frame), so it is not written.
pts and dts are nanoseconds of running time, which the RTP timestamps are made of; video and audio
share it. dts may be negative.
"""
import argparse
import ctypes
import hashlib
import itertools
import json
import signal

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PR_SET_PDEATHSIG = 1
ROLE = "viewer"
MEDIA_PER_SEED = 16
NAL_IDR = 5
NAL_FU_A = 28
NAL_LARGEST_SINGLE = 23
AU_HEADERS_BYTES = 4  # AU-headers-length, and one header of 13 + 3 bits


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--mount", default="/cam")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--bitrate", type=int, default=512, help="kbit/s")
    parser.add_argument("--gop", type=int, default=25, help="frames from IDR picture to IDR picture")
    parser.add_argument("--bframes", type=int, default=0)
    parser.add_argument("--audio", choices=["aac", "none"], default="aac")
    parser.add_argument("--auth", choices=["digest", "basic", "none"], default="none")
    parser.add_argument("--username", default="admin")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--transports", default="tcp,udp", help="tcp, udp, or both with a comma")
    parser.add_argument("--seed", type=int, default=0, help="another one: another picture and tone")
    parser.add_argument("--dump", metavar="FILE")
    return parser.parse_args()


def launch_line(args):
    """One thread and no look-ahead beyond the B-frames: the same stream each time, and soon."""
    options = f"scenecut=0:bframes={args.bframes}:b-adapt=0:rc-lookahead={args.bframes}"
    tune = " tune=zerolatency" if args.bframes == 0 else ""
    profile = "constrained-baseline" if args.bframes == 0 else "main"
    video = (
        f"videotestsrc name=picture is-live=true pattern=ball ! video/x-raw,format=I420,width={args.width},"
        f"height={args.height},framerate={args.fps}/1 ! queue ! x264enc speed-preset=ultrafast"
        f" threads=1 sync-lookahead=0 mb-tree=false aud=false key-int-max={args.gop}"
        f" bitrate={args.bitrate} option-string={options}{tune}"
        f" ! video/x-h264,stream-format=byte-stream,alignment=au,profile={profile}"
        " ! rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=none"
    )
    if args.audio == "none":
        return f"( {video} )"
    audio = (
        "audiotestsrc name=tone is-live=true wave=sine ! audio/x-raw,rate=48000,channels=2 ! audioconvert"
        " ! queue ! avenc_aac bitrate=64000 ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    )
    return f"( {video} {audio} )"


def vary(element, seed):
    """Each stream has bytes of its own, so that a dump tells which one somebody saw."""
    colour = seed * 0x070503 % 0x1000000
    element.get_by_name("picture").set_property("background-color", 0xFF000000 | colour)
    tone = element.get_by_name("tone")
    if tone:
        tone.set_property("freq", 300 + seed * 7 % 3000)


def parse_rtp(packet):
    """RFC 3550 5.1: marker and payload."""
    offset = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        offset += 4 + 4 * int.from_bytes(packet[offset + 2 : offset + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return bool(packet[1] & 0x80), packet[offset:end]


class VideoUnits:
    kind = "video"

    def __init__(self):
        self.prerolled = False
        self.nal_units = []

    def push(self, marker, payload):
        """The access unit's bytes and whether it is an IDR picture, after its last packet."""
        nal_type = payload[0] & 0x1F
        if nal_type == NAL_FU_A:
            header = payload[1]
            if header & 0x80:
                self.nal_units.append(bytearray([(payload[0] & 0xE0) | (header & 0x1F)]))
            self.nal_units[-1] += payload[2:]
        elif nal_type <= NAL_LARGEST_SINGLE:
            self.nal_units.append(bytearray(payload))
        else:
            raise ValueError(f"rtph264pay sends packets of type {nal_type}")
        if not marker:
            return None
        units, self.nal_units = self.nal_units, []
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        return data, any(unit[0] & 0x1F == NAL_IDR for unit in units)


class AudioFrames:
    kind = "audio"

    def __init__(self):
        self.prerolled = False
        self.frame = b""

    def push(self, marker, payload):
        if payload[:2] != b"\x00\x10":
            raise ValueError("rtpmp4gpay puts more than one frame into a packet")
        self.frame += payload[AU_HEADERS_BYTES:]
        if not marker:
            return None
        frame, self.frame = self.frame, b""
        return frame, True


class Dump:
    """When all clients went and one comes back there is a new stream; the file goes on with it."""

    def __init__(self, path):
        self.file = open(path, "w", buffering=1, encoding="ascii")

    def watch(self, payloader, units):
        pad = payloader.get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, self.probe, units)

    def probe(self, pad, info, units):
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            packets = info.get_buffer_list()
            buffers = [packets.get(index) for index in range(packets.length())]
        else:
            buffers = [info.get_buffer()]
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        for buffer in buffers:
            # A copy: a mapping that Python drops late would keep the buffer from being writable.
            packet = buffer.extract_dup(0, buffer.get_size())
            if not units.prerolled:
                units.prerolled = True
                continue
            unit = units.push(*parse_rtp(packet))
            if unit is not None:
                self.write(units.kind, unit, segment, buffer)
        return Gst.PadProbeReturn.OK

    def write(self, kind, unit, segment, buffer):
        data, key = unit
        line = {
            "kind": kind,
            "pts": running_time(segment, buffer.pts),
            "dts": running_time(segment, buffer.dts if kind == "video" else buffer.pts),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "key": key,
        }
        self.file.write(json.dumps(line) + "\n")


def running_time(segment, time):
    """x264enc moves its times by 1000 hours and says so in the segment."""
    if time == Gst.CLOCK_TIME_NONE:
        return None
    sign, value = segment.to_running_time_full(Gst.Format.TIME, time)
    return sign * value


def protect(server, factory, args):
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    if args.auth == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(args.username, args.password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(args.username, args.password), token)
    server.set_auth(auth)
    role = Gst.Structure.new_empty(ROLE)
    role.set_value(GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    role.set_value(GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.add_role_from_structure(role)


def protocols(names):
    known = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
    chosen = GstRtsp.RTSPLowerTrans(0)
    for name in names.split(","):
        chosen |= known[name]
    return chosen


def main():
    args = arguments()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(launch_line(args))
    factory.set_shared(True)
    factory.set_protocols(protocols(args.transports))
    dump = Dump(args.dump) if args.dump else None
    seeds = itertools.count(args.seed * MEDIA_PER_SEED)

    def configure(_factory, media):
        element = media.get_element()
        vary(element, next(seeds))
        if dump:
            dump.watch(element.get_by_name("pay0"), VideoUnits())
        if dump and args.audio == "aac":
            dump.watch(element.get_by_name("pay1"), AudioFrames())

    factory.connect("media-configure", configure)
    server = GstRtspServer.RTSPServer.new()
    server.set_address(args.address)
    server.set_service(str(args.port))
    server.get_mount_points().add_factory(args.mount, factory)
    if args.auth != "none":
        protect(server, factory, args)
    loop = GLib.MainLoop()

    def terminate():
        server.get_session_pool().filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        server.client_filter(lambda *_: GstRtspServer.RTSPFilterResult.REMOVE)
        GLib.idle_add(loop.quit)
        return GLib.SOURCE_CONTINUE  # a second signal must not find the default action

    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, terminate)
    if server.attach(None) == 0:
        raise SystemExit(f"cannot listen on 127.0.0.1:{args.port}")
    print(f"READY {server.get_bound_port()}", flush=True)
    loop.run()


if __name__ == "__main__":
    main()

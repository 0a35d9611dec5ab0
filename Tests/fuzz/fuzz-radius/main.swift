// SPDX-License-Identifier: Apache-2.0
// Fuzzes the RADIUS codec and all that reads attributes: grants and requests of RFC 5176.

import BNGCore
import Foundation
import FuzzDriver
import RADIUS
import RADIUSContract
import Subscribers

let rules: [AttributeRule] = [
    ("Filter-Id", "plan:{plan}"), ("Filter-Id", "{plan}-{filter}"), ("Mikrotik-Rate-Limit", "{up}/{down}{*}"),
    ("Cisco-AVPair", "sub:{*}={rate}"), ("WISPr-Bandwidth-Max-Up", "{up}"),
].compactMap { name, pattern in
    guard let entry = RADIUSDictionary.entry(named: name), let pattern = try? AttributePattern(pattern) else {
        return nil
    }
    return AttributeRule(attribute: entry, pattern: pattern)
}
let mapping = AttributeMapping(rules: rules)
let reader = DynamicAuthorizationReader(mapping: mapping, nasAddress: IPv4Address("192.0.2.1"))

let target: FuzzTarget = { bytes, count in
    let data = input(bytes, count)
    guard let packet = try? RADIUSCodec.decode(data.span) else { return 0 }
    let again = RADIUSCodec.encode(packet)
    precondition((try? RADIUSCodec.decode(again.span)) == packet, "an encoded packet decodes to another")
    _ = try? mapping.grant(userName: "fuzz", packet.attributes)
    for code in [RADIUSCode.disconnectRequest, .changeRequest] {
        var request = packet
        request.code = code
        _ = try? reader.read(request)
    }
    return 0
}

exit(fuzz(target))

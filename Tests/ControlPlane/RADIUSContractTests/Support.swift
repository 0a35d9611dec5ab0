// SPDX-License-Identifier: Apache-2.0
// Rules, lines and records the tests share.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers
import Testing

func rule(_ name: String, _ pattern: String) throws -> AttributeRule {
    AttributeRule(attribute: try #require(RADIUSDictionary.entry(named: name)), pattern: try AttributePattern(pattern))
}

func attributes(_ list: [(RADIUSAttributeKey, [UInt8])]) -> RADIUSAttributes {
    var attributes = RADIUSAttributes()
    for (key, value) in list { attributes.append(key, value) }
    return attributes
}

func text(_ text: String) -> [UInt8] { Array(text.utf8) }
func number(_ value: UInt32) -> [UInt8] { IPv4Address(rawValue: value).bytes }

func facts() -> LineFacts {
    var facts = LineFacts(
        node: "edge1", port: "access0", accessDomain: 1, sVLAN: 100, cVLAN: 7,
        mac: MACAddress(rawValue: 0x0200_0000_aabb))
    facts.circuitID = text("olt1 1/1/4:100.7")
    facts.remoteID = text("cpe-4711")
    return facts
}

"""What a hardware file may state: sections, keys with their units, kinds of value and ranges. Any other key is a fault."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("neuromorphic", "conventional", "board", "technology")
STATUSES = ("published", "derived", "assumed", "measured")  # measured: on a machine and day that the source names
ROLES = ("alternative", "shared")
TOP_KEYS = ("name", "kind", "description", "board", "limits", "costs")
SET_KEYS = ("role", "description", "missing", "borrows", "overlaps")
FORMS = (("value",), ("low", "high"), ("values",), ("points", "per"))
POINTS_PER = ("tiles", "chips")  # what the first number of a point counts

# Unit -> the word that ends a key. Counted things have none: their key says what is counted.
UNIT_WORDS: Mapping[str, str] = {
    "J": "joule",
    "s": "second",
    "W": "watt",
    "m": "metre",
    "m^2": "square_metre",
    "V": "volt",
    "Hz": "hertz",
    "byte": "byte",
    "bit": "bit",
    "step": "step",
    "byte/s": "byte_per_second",
    "spike/s": "per_second",
    "operation/s": "per_second",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One key of a section: ``name`` is ``key`` without the word of its unit."""

    name: str
    key: str
    unit: str  # of what the file states; SI without prefixes, or the thing that is counted
    kind: str  # whole, real or text
    least: float
    most: float

    def fault(self, value: float) -> str | None:
        """What is wrong with a number here, or None."""
        if not math.isfinite(value):
            return f"must be finite, got {value:g}"
        if self.kind == "whole" and value != math.floor(value):
            return f"must be a whole number of {self.unit}s, got {value!r}"
        if not self.least <= value <= self.most:
            allowed = f">= {self.least:g}" if math.isinf(self.most) else f"{self.least:g} to {self.most:g}"
            unit = "" if self.unit == "1" else f" {UNIT_WORDS.get(self.unit, self.unit)}"
            return f"must be {allowed}{unit}, got {value:g}"
        return None


def _section(table: str) -> Mapping[str, Entry]:
    """Entries by key, from lines of ``key unit kind least most``."""
    found = {}
    for line in table.strip().splitlines():
        key, unit, kind, least, most = line.split()
        name = key.removesuffix("_" + UNIT_WORDS.get(unit, ""))
        found[key] = Entry(name=name, key=key, unit=unit, kind=kind, least=float(least), most=float(most))
    return found


LIMITS: Mapping[str, Mapping[str, Entry]] = {
    "core": _section(
        """
        compartments                            compartment    whole  1  inf
        input_axons                             axon           whole  1  inf
        output_axons                            axon           whole  1  inf
        fan_in                                  synapse        whole  1  inf
        fan_out                                 synapse        whole  1  inf
        synapse_memory_bit                      bit            whole  1  inf
        synapse_memory_word_bit                 bit            whole  1  4096
        memory_bit                              bit            whole  1  inf
        routing_memory_byte                     byte           whole  1  inf
        program_memory_byte                     byte           whole  1  inf
        data_memory_byte                        byte           whole  1  inf
        binary_synapses                         synapse        whole  1  inf
        compartment_configurations              configuration  whole  1  inf
        threshold_configurations                configuration  whole  1  inf
        synapse_configurations                  configuration  whole  1  inf
        presynaptic_trace_configurations        configuration  whole  1  inf
        """
    ),
    "chip": _section(
        """
        cores                                   core           whole  1  inf
        embedded_processors                     core           whole  0  inf
        cores_per_tile                          core           whole  1  inf
        tiles                                   tile           whole  1  inf
        mesh_columns                            tile           whole  1  inf
        mesh_rows                               tile           whole  1  inf
        compartments                            compartment    whole  1  inf
        hidden_compartments                     compartment    whole  1  inf
        synapses                                synapse        whole  1  inf
        binary_synapses                         synapse        whole  1  inf
        inputs                                  channel        whole  1  inf
        outputs                                 channel        whole  1  inf
        memory_byte                             byte           whole  1  inf
        external_memory_byte                    byte           whole  1  inf
        synapse_memory_byte                     byte           whole  1  inf
        process_metre                           m              real   1e-10  1e-5
        die_area_square_metre                   m^2            real   1e-9   1e-1
        transistors                             transistor     whole  1  inf
        supply_voltage_volt                     V              real   0.01   100
        clock_hertz                             Hz             real   1  1e12
        power_watt                              W              real   0  1e6
        spike_bandwidth_per_tile_per_second     spike/s        real   0  inf
        """
    ),
    "system": _section(
        """
        cores_per_chip_addressed                core           whole  1  inf
        chips_addressed                         chip           whole  1  inf
        chips_built                             chip           whole  1  inf
        link_bandwidth_ratio                    1              real   1  inf
        acceleration                            1              real   0  inf
        """
    ),
    "synapse": _section(
        """
        weight_bits                             bit            whole  1  64
        weight_widths_bit                       bit            whole  0  64
        weight_exponent                         1              whole  -64  64
        weight_mantissa                         1              whole  -1e9  1e9
        mixed_sign_lost_bits                    bit            whole  0  64
        weights_per_neuron                      weight         whole  1  inf
        index_widths_bit                        bit            whole  0  64
        memory_bit                              bit            real   0  4096
        delay_step                              step           whole  0  inf
        delay_guaranteed_step                   step           whole  0  inf
        delay_bits                              bit            whole  0  32
        accumulator_bits                        bit            whole  1  128
        accumulator_zero_bits                   bit            whole  0  128
        """
    ),
    "neuron": _section(
        """
        membrane_bits                           bit            whole  1  128
        decay_bits                              bit            whole  1  64
        decay_shift_bit                         bit            whole  1  64
        threshold_mantissa_bits                 bit            whole  1  64
        threshold_shift_bit                     bit            whole  0  64
        bias_mantissa                           1              whole  -1e9  1e9
        bias_exponent_bits                      bit            whole  0  16
        refractory_step                         step           whole  0  inf
        state_memory_byte                       byte           whole  0  inf
        destination_cores                       core           whole  1  inf
        input_synapses                          synapse        whole  1  inf
        spikes_per_step                         spike          whole  1  inf
        output_spikes_per_step                  spike          whole  1  inf
        input_spikes_per_step                   spike          whole  1  inf
        """
    ),
    "learning": _section(
        """
        rules_per_core                          rule           whole  0  inf
        products                                product        whole  1  inf
        presynaptic_traces                      trace          whole  0  inf
        postsynaptic_traces                     trace          whole  0  inf
        trace_bits                              bit            whole  1  64
        tag_bits                                bit            whole  1  64
        reward_bits                             bit            whole  1  64
        weight_bits                             bit            whole  1  64
        delay_bits                              bit            whole  1  64
        accumulator_bits                        bit            whole  1  128
        epoch_step                              step           whole  1  inf
        coefficient_mantissa                    1              whole  -1e9  1e9
        coefficient_exponent                    1              whole  -64  64
        trace_impulse                           1              whole  0  1e9
        """
    ),
    "network": _section(
        """
        spike_message_bits                      bit            whole  1  1024
        spike_payload_bits                      bit            whole  0  1024
        destination_populations                 population     whole  1  inf
        activation_widths_bit                   bit            whole  1  64
        """
    ),
    "processor": _section(
        """
        clock_hertz                             Hz             real   1  1e12
        idle_power_watt                         W              real   0  1e6
        running_power_watt                      W              real   0  1e6
        thermal_design_power_watt               W              real   0  1e6
        float32_operations_per_second           operation/s    real   0  inf
        float16_operations_per_second           operation/s    real   0  inf
        int8_operations_per_second              operation/s    real   0  inf
        memory_bandwidth_byte_per_second        byte/s         real   0  inf
        """
    ),
}
BOARD: Mapping[str, Entry] = _section(
    """
    chips                                       chip           whole  1  inf
    cores                                       core           whole  1  inf
    embedded_processors                         core           whole  0  inf
    compartments                                compartment    whole  1  inf
    synapses                                    synapse        whole  1  inf
    static_power_watt                           W              real   0  1e6
    running_power_watt                          W              real   0  1e6
    programming_time_second                     s              real   0  1e6
    synaptic_operations_per_second              operation/s    real   0  inf
    neuron_operations_per_second                operation/s    real   0  inf
    memory_bandwidth_byte_per_second            byte/s         real   0  inf
    core_bandwidth_byte_per_second              byte/s         real   0  inf
    chip_bandwidth_byte_per_second              byte/s         real   0  inf
    topology                                    text           text   0  0
    host_link                                   text           text   0  0
    """
)
# Ranges wide enough for every device and narrow enough to find a number that was meant in pJ or ns.
COSTS: Mapping[str, Entry] = _section(
    """
    energy_joule                                J              real   0  10
    time_second                                 s              real   0  1000
    power_watt                                  W              real   0  1e6
    cycles                                      cycle          real   0  1e9
    """
)
QUANTITIES: Mapping[str, str] = {entry.name: entry.unit for entry in COSTS.values()}
MOST_ENERGY_OF_AN_EVENT = 1e-3  # J; of every operation but the large ones
LARGE_OPERATIONS = ("framework_call", "framework_layer", "chip_reset", "step")
OPERATIONS: Mapping[str, str] = {  # what can have a cost: name in the file -> name of the term
    "synaptic_operation": "synaptic operations",
    "synaptic_operation_dense": "synaptic operations of dense weights",
    "synaptic_operation_sparse": "synaptic operations of sparse weights",
    "synaptic_operation_convolution": "synaptic operations of shared kernels",
    "neuron_update": "neuron updates",
    "neuron_update_active": "active neuron updates",
    "neuron_update_idle": "idle neuron updates",
    "neuron_access": "neuron accesses",
    "neuron_state_change": "neuron state changes",
    "neuron_noise": "noise of stochastic neuron updates",
    "spike_generated": "spikes generated",
    "axon_out": "output axons",
    "axon_in": "input axons",
    "spike_within_tile": "spike messages within a tile",
    "tile_hop_east_west": "tile hops east-west",
    "tile_hop_north_south": "tile hops north-south",
    "core_hop": "hops between cores",
    "chip_to_chip_bit": "bits sent between chips",
    "learning_update": "learning updates",
    "barrier": "barrier (steps)",
    "barrier_between_chips": "barrier between chips (steps)",
    "step": "steps",
    "step_overhead": "overhead of embedded processors (steps)",
    "chip_reset": "resets of all state (chips)",
    "clock_cycle": "clock cycles",
    "layer_passed": "layers passed",
    "host_step": "steps in which the host feeds or reads",
    "host_spike_in": "spikes from the host",
    "host_spike_out": "spikes to the host",
    "core_static": "static power (core seconds)",
    "chip_static": "static power of whole chips (chip seconds)",
    "embedded_processors": "embedded processors (chip seconds)",
    "multiply_accumulate": "multiply-accumulates",
    "multiply_accumulate_float64": "multiply-accumulates in 64-bit floating point",
    "multiply_accumulate_float32": "multiply-accumulates in 32-bit floating point",
    "multiply_accumulate_float16": "multiply-accumulates in 16-bit floating point",
    "multiply_accumulate_int8": "multiply-accumulates in 8-bit integers",
    "add_int8": "additions of 8-bit integers",
    "add_int16": "additions of 16-bit integers",
    "add_int32": "additions of 32-bit integers",
    "add_float16": "additions in 16-bit floating point",
    "add_float64": "additions in 64-bit floating point",
    "add_float32": "additions in 32-bit floating point",
    "multiply_int8": "products of 8-bit integers",
    "multiply_int16": "products of 16-bit integers",
    "multiply_int32": "products of 32-bit integers",
    "multiply_float16": "products in 16-bit floating point",
    "multiply_float32": "products in 32-bit floating point",
    "instruction": "instructions of a small processor",
    "register_file_access": "accesses of a register file",
    "sram_8_kilobyte_word": "64-bit words of an SRAM of 8 KB",
    "sram_32_kilobyte_word": "64-bit words of an SRAM of 32 KB",
    "sram_1_megabyte_word": "64-bit words of an SRAM of 1 MB",
    "dram_word": "64-bit words of DRAM",
    "memory_byte": "memory traffic (bytes)",
    "framework_call": "calls of a framework",
    "framework_layer": "layers run by a framework",
    "busy_core": "busy core (seconds)",
}

_PREFIX = "yotta|zetta|exa|peta|tera|giga|mega|kilo|milli|micro|nano|pico|femto|atto"
_WORD = "joule|second|watt|square_metre|metre|meter|volt|hertz|byte|bit|step|ampere|electronvolt|minute|hour|inch"
_UNIT = re.compile(rf"(square_)?({_PREFIX})?_?({_WORD}|byte_per_second|per_second)s?|[afpnumkgt]?(j|s|w|m|v|hz|b|wh)")


def limit_name(name: str) -> str:
    """``core.synapse_memory`` for itself and for the key in the file, ``core.synapse_memory_bit``.

    >>> limit_name("core.synapse_memory_bit")
    'core.synapse_memory'
    """
    part, _, key = name.partition(".")
    entry = LIMITS.get(part, {}).get(key)
    return name if entry is None else f"{part}.{entry.name}"


def other_unit(key: str, entries: Mapping[str, Entry]) -> Entry | None:
    """The entry that ``key`` would be if its unit were another one, or were left out.

    >>> other_unit("energy_picojoule", COSTS).key
    'energy_joule'
    """
    found = [
        entry
        for entry in entries.values()
        if entry.key != entry.name
        and (
            key == entry.name
            or (key.startswith(entry.name + "_") and _UNIT.fullmatch(key[len(entry.name) + 1 :].lower()))
        )
    ]
    return max(found, key=lambda entry: len(entry.name), default=None)
